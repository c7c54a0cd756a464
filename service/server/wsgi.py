"""WSGI (PEP 3333) between a connection and the application, and its response as the bytes of HTTP/1.1.

A response is complete before its first byte is sent, so its length is always known.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from wsgiref.handlers import format_date_time
from wsgiref.types import WSGIApplication

from gunicorn.config import Config
from gunicorn.http.wsgi import base_environ

from service.environ import DEFERRED, ERROR, QUEUE_SECONDS, RESUMED, Headers
from service.errors import RequestError
from service.server.connection import Connection

OURS = ("content-length", "connection", "date", "server")  # replaced where the application sets them
WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class UnsafeHeader(Exception):
    """A header of the application's holds a line break, which would let it write headers of its own."""


def write_response(status: str, headers: Headers, body: bytes, *, method: str, version: str, keep_alive: bool) -> bytes:
    """The whole response (RFC 9112); `status` is code and reason, `version` like `HTTP/1.1`.

    HEAD, 204 and 304 have no body, the last two no length either. Raises UnsafeHeader.
    """
    code = int(status[:3])
    lines = [f"{version} {status}", "Server: convserve", f"Date: {_date(int(time.time()))}"]
    lines.append(f"Connection: {'keep-alive' if keep_alive else 'close'}")
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in OURS]
    if code not in WITHOUT_BODY:
        lines.append(f"Content-Length: {_length(headers, body)}")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise UnsafeHeader("a header holds a line break")
    omitted = method == "HEAD" or code in WITHOUT_BODY
    return head.encode("latin-1") + b"\r\n\r\n" + (b"" if omitted else body)


def _length(headers: Headers, body: bytes) -> int:
    """The body's own length; for a response to HEAD, which may come without a body, what the application says."""
    said = [int(value) for name, value in headers if name.lower() == "content-length"]
    return len(body) if body or not said else said[0]


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    """The Date header's value, the same for a whole second."""
    return format_date_time(second)


class WsgiGateway:
    """Calls the application for one complete request at a time; connections close once `is_shutting_down()`."""

    def __init__(
        self, application: WSGIApplication, cfg: Config, host: str, port: int, is_shutting_down: Callable[[], bool]
    ) -> None:
        self._application = application
        self._is_shutting_down = is_shutting_down
        self._environ = {
            **base_environ(cfg),
            "wsgi.url_scheme": "http",
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
        }

    def respond(self, connection: Connection, waited: float, error: RequestError | None, leaving: bool) -> bytes:
        """The response, of which the connection learns whether it is the last; empty where the request is deferred.

        `waited` is the time in the queue in seconds; `error` is what the application responds with instead of looking
        at the request; `leaving` is whether this worker stops. Raises whatever the application lets through.
        """
        request = connection.request
        environ = {
            **self._environ,
            **request.environ(),
            "REMOTE_ADDR": connection.address[0],
            QUEUE_SECONDS: waited,
            ERROR: error,
            RESUMED: connection.deferred,
        }
        closing = leaving or self._is_shutting_down()  # first: no response says "ready" and ends the connection
        status, headers, body = self._call(environ)
        connection.deferred = environ.get(DEFERRED)
        if connection.deferred:
            return b""
        connection.closing = closing or not request.is_persistent
        method, version, keep = environ["REQUEST_METHOD"], environ["SERVER_PROTOCOL"], not connection.closing
        return write_response(status, headers, body, method=method, version=version, keep_alive=keep)

    def _call(self, environ: dict[str, Any]) -> tuple[str, Headers, bytes]:
        started: list[tuple[str, Headers]] = []

        def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
            if started and not exc_info:
                raise AssertionError("the application began its response twice")
            started[:] = [(status, headers)]
            return parts.append

        parts: list[bytes] = []  # of applications that write instead of returning, which PEP 3333 still allows
        body = self._application(environ, start_response)
        try:
            parts += body
        finally:
            close = getattr(body, "close", None)  # optional in PEP 3333
            if close:
                close()
        environ["wsgi.input"].close()  # an exception's traceback may hold the environment until garbage is collected
        return *started[0], b"".join(parts)
