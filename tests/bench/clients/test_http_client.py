"""The client that sends prepared requests, against a small server of the test."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bench.clients.http_client import Connection, Request, RequestFailed, check_response, read_head
from bench.target import Target


def test_a_request_is_head_and_body() -> None:
    request = Request("/predict", "image/png", b"abc", (("X-One", "1"),))

    assert request.write(Target("::1", 8000)) == (
        b"POST /predict HTTP/1.1\r\nHost: [::1]:8000\r\nContent-Type: image/png\r\nContent-Length: 3\r\nX-One: 1\r\n"
        b"\r\nabc"
    )


def test_a_head_has_status_and_length() -> None:
    assert read_head(b"HTTP/1.1 404 Not Found\r\ncontent-length: 12\r\nDate: now\r\n\r\n") == (404, 12)


def test_a_response_of_unknown_length_cannot_be_read() -> None:
    with pytest.raises(ConnectionError, match="without Content-Length"):
        read_head(b"HTTP/1.1 200 OK\r\n\r\n")


def test_the_body_of_a_success_is_returned() -> None:
    assert check_response(200, b"{}") == b"{}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b'{"error": "too many", "code": "x"}', "503: too many", id="an error of the service"),
        pytest.param(b"<html>", "503: b'<html>'", id="an error of something else"),
        pytest.param(b"[]", r"503: b'\[\]'", id="other JSON"),
        pytest.param(b"", "503: b''", id="nothing"),
    ],
)
def test_any_other_status_is_an_error_with_its_message(body: bytes, message: str) -> None:
    with pytest.raises(RequestFailed, match=f"^{message}$"):
        check_response(503, body)


Responses = list[list[bytes]]  # to each request, in the pieces in which it is sent


@contextmanager
def serving(responses: Responses) -> Iterator[Connection]:
    """A connection to a server that sends these responses and then closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server, responses))
        thread.start()
        with Connection(Target(*server.getsockname())) as connection:
            yield connection
        thread.join()


def _serve(server: socket.socket, responses: Responses) -> None:
    client, _ = server.accept()
    with client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for pieces in responses:
            client.recv(1000)
            for piece in pieces:
                client.sendall(piece)


def _response(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_one_request_follows_the_other_on_the_same_connection() -> None:
    with serving([[_response(b"one")], [_response(b"two")]]) as connection:
        assert [connection.exchange(b"a"), connection.exchange(b"b")] == [b"one", b"two"]


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(lambda response: [response[:-5], response[-5:]], id="within the body"),
        pytest.param(lambda response: [bytes([byte]) for byte in response], id="everywhere"),
    ],
)
def test_a_response_in_pieces_is_put_together(cut: Callable[[bytes], list[bytes]]) -> None:
    with serving([cut(_response(b"a long body"))]) as connection:
        assert connection.exchange(b"a") == b"a long body"


def test_every_status_but_200_is_an_error() -> None:
    response = _response(b'{"error": "too many images"}', "413 Content Too Large")

    with serving([[response]]) as connection, pytest.raises(RequestFailed, match="413: too many images"):
        connection.exchange(b"a")


def test_a_connection_that_ends_early_is_an_error() -> None:
    response = _response(b"a long body")[:-5]

    with serving([[response]]) as connection, pytest.raises(ConnectionError, match="before its response was complete"):
        connection.exchange(b"a")
