"""What a worker holds for its clients is bounded, and so is the time that each of them has."""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from service.ipc.scoreboard import CloseReason
from service.server.connection import Connection
from service.server.connections import ConnectionManager
from service.settings import Settings

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n"
LIMIT = 1 << 20
SETTINGS = {"max_body_bytes": LIMIT, "max_buffered_bytes": LIMIT, "max_connections": 8}


class Answers:
    """A gateway whose responses have a body of `size` bytes; an error has its status."""

    size = 10

    def respond(self, connection: Connection, _waited: float, error: Any, _leaving: bool) -> bytes:
        connection.closing = error is not None
        status = error.status if error else 200
        return b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n" % (status, self.size) + bytes(self.size)


class Loop:
    """A connection manager, its clients, and the loop that runs them."""

    def __init__(self, **settings: Any) -> None:
        self.gateway = Answers()
        self.closed: Counter[CloseReason] = Counter()
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.manager = ConnectionManager(
            self._selector,
            Settings(**{**SETTINGS, **settings}),
            self.gateway,  # type: ignore[arg-type]  # a fake
            lambda _: None,
            lambda reason: self.closed.update([reason]),
        )
        self.clients: list[socket.socket] = []

    @property
    def connections(self) -> set[Connection]:
        """Those that are open."""
        return self.manager._connections

    @property
    def held(self) -> int:
        """What the budget says."""
        return self.manager._budget.held

    def connect(self, data: bytes = b"", buffer: int | None = None) -> socket.socket:
        """A client that has sent some bytes."""
        client = socket.socket()
        if buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.connect(self._listener.getsockname())
        client.settimeout(5)
        self.clients.append(client)
        accepted, address = self._listener.accept()
        if buffer:
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        self.manager.open(accepted, address)
        for start in range(0, len(data), 100_000):  # no more than the kernel takes
            client.sendall(data[start : start + 100_000])
            self.turn()
        return client

    def turn(self, times: int = 3) -> None:
        """Turn the loop, as the worker does."""
        for _ in range(times):
            self.manager.expire()
            for key, _ in self._selector.select(0.01):
                key.data()
            while self.manager.respond_next():
                pass

    def age(self, seconds: float) -> None:
        """Let time pass for all connections."""
        for connection in self.connections:
            connection.since -= seconds
            connection.begun -= seconds
            connection.deadline -= seconds

    def close(self) -> None:
        """Close everything; nothing is held afterwards."""
        self.manager.close()
        assert self.held == 0
        for client in self.clients:
            client.close()
        self._listener.close()
        self._selector.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def test_uploads_that_stopped_give_way_to_a_new_one_and_are_answered(loop: Loop) -> None:
    stopped = [loop.connect(POST % 250_000 + bytes(249_900)) for _ in range(4)]
    loop.age(2)

    new = loop.connect(POST % 250_000 + bytes(250_000))

    assert new.recv(20).startswith(b"HTTP/1.1 200")
    assert stopped[0].recv(20).startswith(b"HTTP/1.1 503")
    assert loop.closed == {CloseReason.ROOM: 1}


def test_where_all_uploads_go_on_a_new_one_is_refused(loop: Loop) -> None:
    for _ in range(4):
        loop.connect(POST % 250_000 + bytes(249_900))

    assert loop.connect(POST % 250_000).recv(20).startswith(b"HTTP/1.1 503")
    assert loop.closed == {}


def test_a_small_request_finds_room_though_all_uploads_go_on(loop: Loop) -> None:
    uploads = [loop.connect(POST % 262_000 + bytes(261_900)) for _ in range(4)]
    fill = LIMIT - loop.held
    loop.connect(POST % (fill * 2) + bytes(fill - 60))

    assert loop.connect(POST % 500 + bytes(499)).send(b"x")
    loop.turn()

    assert uploads[0].recv(20).startswith(b"HTTP/1.1 503")
    assert loop.clients[-1].recv(20).startswith(b"HTTP/1.1 200")


def test_responses_that_are_not_read_are_in_the_budget_and_the_slowest_is_closed(loop: Loop) -> None:
    loop.gateway.size = 300_000
    for _ in range(7):
        loop.connect(GET, buffer=4096)
    sending = [connection for connection in loop.connections if connection.sending]

    assert 600_000 < loop.held <= LIMIT
    assert loop.held == sum(connection.held for connection in sending)
    assert loop.closed == {CloseReason.ROOM: 7 - len(sending)}


def test_a_response_that_has_no_room_takes_that_of_an_upload(loop: Loop) -> None:
    upload = loop.connect(POST % 1_000_000 + bytes(900_000))
    loop.gateway.size = 300_000

    loop.connect(GET, buffer=4096)

    assert upload.recv(20).startswith(b"HTTP/1.1 503")
    assert loop.held < 400_000


def test_a_reader_that_takes_a_little_now_and_then_is_closed_at_the_deadline_of_the_response(loop: Loop) -> None:
    loop.gateway.size = 300_000
    slow = loop.connect(GET, buffer=4096)
    for _ in range(6):
        loop.age(10.1)
        slow.recv(1000)
        loop.turn()
    time.sleep(0.3)  # until the deadlines are looked at again
    loop.turn()

    assert not loop.connections
    assert loop.closed == {CloseReason.WRITE_TIMEOUT: 1}


def test_a_slow_reader_gets_all_of_a_response(loop: Loop) -> None:
    loop.gateway.size = 300_000
    slow = loop.connect(GET * 2, buffer=4096)
    received = b""
    while len(received) < 600_000:
        loop.turn(1)
        received += slow.recv(8192)

    assert received.count(b"HTTP/1.1 200") == 2
    assert loop.held == 0


@pytest.mark.parametrize(
    ("data", "seconds", "reason"),
    [(GET[:-1], 10.1, CloseReason.HEAD_TIMEOUT), (POST % 10, 60.1, CloseReason.READ_TIMEOUT)],
    ids=["head", "body"],
)
def test_a_request_that_drips_gets_408(loop: Loop, data: bytes, seconds: float, reason: CloseReason) -> None:
    client = loop.connect(data)
    loop.age(seconds - 1)
    client.send(b"\r"[:1] if reason == CloseReason.READ_TIMEOUT else b"")
    loop.turn()
    early = dict(loop.closed)
    loop.age(1)
    time.sleep(0.3)
    loop.turn()

    assert early == {}
    assert client.recv(20).startswith(b"HTTP/1.1 408")
    assert loop.closed == {reason: 1}


def test_a_new_connection_takes_the_place_of_the_slowest_unfinished_one(loop: Loop) -> None:
    clients = [loop.connect(b"G") for _ in range(8)]
    loop.age(0.2)
    clients[0].send(b"E")
    loop.turn()

    assert loop.manager.has_room()
    new = loop.connect(GET)

    assert new.recv(20).startswith(b"HTTP/1.1 200")
    assert clients[0].recv(20) == b""
    assert len(loop.connections) == 8


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_the_budget_is_the_sum_of_what_the_connections_hold(seed: int) -> None:
    random, loop = Random(seed), Loop(max_buffered_bytes=LIMIT, max_connections=6)
    for _ in range(150):
        loop.gateway.size = random.choice([10, 50_000, 400_000])
        open_clients = [client for client in loop.clients if client.fileno() >= 0]
        match random.randrange(7) if open_clients else 0:
            case 0 if loop.manager.has_room():
                loop.connect(buffer=random.choice([None, 4096]))
            case 1:
                random.choice(open_clients).close()
            case 2:
                loop.age(random.choice([0.5, 2, 20]))
            case 3:
                read(random.choice(open_clients))
            case _:
                write(random.choice(open_clients), random)
        loop.turn(1)

        assert loop.held == sum(connection.held for connection in loop.connections)
        assert loop.held <= LIMIT + 65536
        for connection in loop.connections:
            assert connection.held == connection.request.held + len(connection._unsent)
    loop.close()


def read(client: socket.socket) -> None:
    client.setblocking(False)
    with suppress(OSError):
        client.recv(100_000)


def write(client: socket.socket, random: Random) -> None:
    pieces = (GET, GET * 3, POST % 300_000, POST % 5 + b"hello", bytes(100_000), b"G", b"\r\n", POST % (LIMIT * 2))
    client.setblocking(False)
    with suppress(OSError):
        client.send(random.choice(pieces))
