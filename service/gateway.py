"""WSGI (PEP 3333) between a connection and the application."""

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

from gunicorn.config import Config
from gunicorn.http.wsgi import Response, base_environ

from service.connection import Connection
from service.errors import RequestError
from service.incoming import Environ

Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Gateway:
    """Calls the application for one complete request at a time."""

    def __init__(self, application: Application, cfg: Config, host: str, port: int) -> None:
        self._application = application
        self._cfg = cfg
        self._environ = {
            **base_environ(cfg),
            "wsgi.url_scheme": "http",
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
        }

    def answer(self, connection: Connection, waited: float, refusal: RequestError | None, draining: bool) -> None:
        """Put the answer into the connection's buffer and set whether it is the last.

        `waited` is the time in the queue in seconds; `refusal` is what the application is to answer instead of
        looking at the request. Raises whatever the application lets through.
        """
        response = Response(connection.incoming, connection, self._cfg)
        if draining:
            response.force_close()
        environ = {
            **self._environ,
            **connection.incoming.environ(),
            "REMOTE_ADDR": connection.address[0],
            "convserve.queue_seconds": waited,
            "convserve.refusal": refusal,
            "convserve.draining": draining,
        }
        with closing(self._application(environ, response.start_response)) as body:  # type: ignore[type-var]
            for part in body:
                response.write(part)
            response.close()
        connection.closing = response.should_close()
