"""WSGI (PEP 3333) between a connection and the application."""

from collections.abc import Callable
from typing import Any
from wsgiref.types import WSGIApplication

from gunicorn.config import Config
from gunicorn.http.wsgi import base_environ

from service.connection import Connection
from service.errors import RequestError
from service.outgoing import Headers, write_answer
from service.record import QUEUE_SECONDS, REFUSAL, WAITED, WAITS


class Gateway:
    """Calls the application for one complete request at a time; once the service `is_ending`, connections close."""

    def __init__(
        self, application: WSGIApplication, cfg: Config, host: str, port: int, is_ending: Callable[[], bool]
    ) -> None:
        self._application = application
        self._is_ending = is_ending
        self._environ = {
            **base_environ(cfg),
            "wsgi.url_scheme": "http",
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
        }

    def answer(self, connection: Connection, waited: float, refusal: RequestError | None, leaving: bool) -> None:
        """Put the answer into the connection's buffer and set whether it is the last, or what it has to wait for.

        `waited` is the time in the queue in seconds; `refusal` is what the application is to answer instead of
        looking at the request; `leaving` is whether this worker ends. Raises whatever the application lets through.
        """
        incoming = connection.incoming
        environ = {
            **self._environ,
            **incoming.environ(),
            "REMOTE_ADDR": connection.address[0],
            QUEUE_SECONDS: waited,
            REFUSAL: refusal,
            WAITED: connection.wait,
        }
        status, headers, body = self._call(environ)
        connection.wait = environ.get(WAITS)
        if connection.wait:
            return
        connection.closing = leaving or self._is_ending() or not incoming.keep_alive
        method, version, keep = environ["REQUEST_METHOD"], environ["SERVER_PROTOCOL"], not connection.closing
        answer = write_answer(status, headers, body, method=method, version=version, keep_alive=keep)
        connection.put(answer)

    def _call(self, environ: dict[str, Any]) -> tuple[str, Headers, bytes]:
        started: list[tuple[str, Headers]] = []

        def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
            if started and not exc_info:
                raise AssertionError("the application began its answer twice")
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
        return *started[0], b"".join(parts)
