"""A minimal HTTP/1.1 client (RFC 9112): requests are written in advance, so that sending them costs little CPU."""

import json
import re
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.target import Target

HEAD_END = b"\r\n\r\n"
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
CONNECTION_CLOSE = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)
TIMEOUT = 30.0  # seconds without a byte from the service
CHUNK = 1 << 16  # bytes read at once


class RequestFailed(Exception):
    """A request got no response, or not one with status 200; the text is the status and the error's message."""


@dataclass(frozen=True)
class Request:
    """A POST request; `headers` are names and values in addition to those of every request."""

    path: str
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    def write(self, target: Target) -> bytes:
        """All bytes of the request, head and body."""
        headers = {
            "Host": target.url.removeprefix("http://"),
            "Content-Type": self.content_type,
            "Content-Length": str(len(self.body)),
            **dict(self.headers),
        }
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode() + HEAD_END + self.body


def read_head(head: bytes) -> tuple[int, int]:
    """Status and Content-Length (bytes) of a response head; raises ConnectionError where it has no Content-Length."""
    length = CONTENT_LENGTH.search(head)
    if length is None:
        raise ConnectionError("a response without Content-Length")
    return int(head[9:12]), int(length[1])


def check_response(status: int, body: bytes) -> bytes:
    """The body of a response with status 200; raises RequestFailed for any other."""
    if status != 200:
        raise RequestFailed(f"{status}: {_error_message(body)}")
    return body


def _error_message(body: bytes) -> str:
    """The message of the service's error, or the first bytes of any other body."""
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return repr(body[:300])


class Connection:
    """One keep-alive connection, closed at the end of its `with` block; raises OSError where it is refused."""

    def __init__(self, target: Target) -> None:
        self._socket = socket.create_connection((target.host, target.port), TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # send the end of a long request at once

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._socket.close()

    def exchange(self, request: bytes) -> bytes:
        """Send a whole request and return the response's body; raises RequestFailed for a status other than 200.

        Raises OSError where the connection breaks or the response has no Content-Length.
        """
        self._socket.sendall(request)
        response = self._receive()
        while HEAD_END not in response:
            response += self._receive()
        start = response.index(HEAD_END) + len(HEAD_END)
        status, length = read_head(response[:start])
        while len(response) < start + length:
            response += self._receive()
        return check_response(status, response[start:])

    def _receive(self) -> bytes:
        data = self._socket.recv(CHUNK)
        if not data:
            raise ConnectionError("the service closed the connection before its response was complete")
        return data
