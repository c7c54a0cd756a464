"""A raw HTTP client: it sends the bytes that a test gives, and reads the responses."""

import json
import socket
from dataclasses import dataclass
from http.client import HTTPMessage, parse_headers
from types import TracebackType
from typing import Any, Self

TIMEOUT = 20.0  # seconds; a service that is slower has failed


@dataclass(frozen=True)
class Response:
    """One HTTP response."""

    status: int
    headers: HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class RawConnection:
    """One TCP connection to a service, on this machine if no host is named."""

    def __init__(self, port: int, receive_buffer: int | None = None, host: str = "127.0.0.1") -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect((host, port))
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Send every byte."""
        self.socket.sendall(data)

    def line(self) -> bytes:
        """The next line, its end included."""
        return self._file.readline()

    def response(self) -> Response:
        """Read one response; raises ConnectionError where the connection ends instead."""
        words = self.line().split(maxsplit=2)
        if len(words) < 2:
            raise ConnectionError("the connection was closed without a response")
        headers = parse_headers(self._file)
        return Response(int(words[1]), headers, self._file.read(int(headers["Content-Length"] or 0)))

    def is_closed(self) -> bool:
        """Wait for the next byte; whether the service closed the connection instead."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self.socket.close()


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of a request; `content_type="image/png"` becomes `Content-Type: image/png`."""
    fields = {"host": "test", **headers}
    if body or method == "POST":
        fields.setdefault("content_length", str(len(body)))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def send_request(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
    """Send one request over its own connection."""
    with RawConnection(port) as connection:
        connection.send(request(method, path, body, **headers))
        return connection.response()
