"""The connection that sends prepared bytes, against a server of the test's own."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bench.connection import Connection
from bench.messages import Unanswered
from bench.target import Target

Answers = list[list[bytes]]  # to each request, in the pieces in which it is sent


@contextmanager
def serving(answers: Answers) -> Iterator[Connection]:
    """A connection to a server that gives these answers and then closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server, answers))
        thread.start()
        with Connection(Target(*server.getsockname())) as connection:
            yield connection
        thread.join()


def _serve(server: socket.socket, answers: Answers) -> None:
    client, _ = server.accept()
    with client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for pieces in answers:
            client.recv(1000)
            for piece in pieces:
                client.sendall(piece)


def _answer(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_one_request_follows_the_other_on_the_same_connection() -> None:
    with serving([[_answer(b"one")], [_answer(b"two")]]) as connection:
        assert [connection.exchange(b"a"), connection.exchange(b"b")] == [b"one", b"two"]


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(lambda answer: [answer[:-5], answer[-5:]], id="within the body"),
        pytest.param(lambda answer: [bytes([byte]) for byte in answer], id="everywhere"),
    ],
)
def test_an_answer_in_pieces_is_put_together(cut: Callable[[bytes], list[bytes]]) -> None:
    with serving([cut(_answer(b"a long body"))]) as connection:
        assert connection.exchange(b"a") == b"a long body"


def test_every_status_but_200_is_an_error() -> None:
    answer = _answer(b'{"error": "too many images"}', "413 Content Too Large")

    with serving([[answer]]) as connection, pytest.raises(Unanswered, match="413: too many images"):
        connection.exchange(b"a")


def test_a_connection_that_ends_early_is_an_error() -> None:
    answer = _answer(b"a long body")[:-5]

    with serving([[answer]]) as connection, pytest.raises(ConnectionError, match="before its answer was complete"):
        connection.exchange(b"a")
