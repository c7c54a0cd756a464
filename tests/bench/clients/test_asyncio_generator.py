"""The load generator that needs no other program, against small servers of the test."""

import asyncio
from itertools import cycle, repeat

from bench.clients.asyncio_generator import post
from bench.clients.traffic import Traffic
from bench.target import Target

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


async def _load(responses: list[bytes]) -> Traffic:
    """0.2 seconds of load on a server that sends these responses in turn."""
    turn = cycle(responses)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            writer.write(next(turn))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return await post(Target("127.0.0.1", port), repeat(REQUEST), connections=2, seconds=0.2)


def test_responses_are_counted_and_timed() -> None:
    traffic = asyncio.run(_load([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]))

    assert traffic.requests > 10
    assert traffic.errors == 0
    assert 0 < traffic.p50_ms <= traffic.p99_ms


def test_every_status_but_200_is_an_error() -> None:
    busy = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
    traffic = asyncio.run(_load([busy]))

    assert traffic.errors == traffic.requests > 10


def test_a_response_without_a_length_is_an_error() -> None:
    traffic = asyncio.run(_load([b"HTTP/1.1 200 OK\r\n\r\n"]))

    assert traffic.requests == 0
    assert traffic.errors > 0


def test_a_server_that_is_not_there_is_an_error() -> None:
    traffic = asyncio.run(post(Target("127.0.0.1", 1), repeat(REQUEST), connections=1, seconds=0.1))

    assert traffic.requests == 0
    assert traffic.errors > 0
