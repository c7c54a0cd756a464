"""The gateway between connections and the application."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gunicorn.config import Config

from service.server.connection import Connection, MemoryBudget
from service.server.wsgi import WsgiGateway

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@contextmanager
def asked(requests: int) -> Iterator[Connection]:
    """A connection whose client has sent some requests."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        client.sendall(GET * requests)
        connection = Connection(*listener.accept(), 1000, MemoryBudget(1000), 0.0)
        connection.socket.setblocking(True)
        connection.receive()
        yield connection
        connection.close()


def test_a_response_that_says_ready_does_not_end_the_connection() -> None:
    shutting_down = False

    def application(_environ: Any, start_response: Any) -> list[bytes]:
        nonlocal shutting_down
        start_response("503 Service Unavailable" if shutting_down else "200 OK", [])
        shutting_down = True
        return []

    gateway = WsgiGateway(application, Config(), "localhost", 80, lambda: shutting_down)
    with asked(2) as connection:
        first, stayed = gateway.respond(connection, 0.0, None, False), not connection.closing
        connection.next()
        second = gateway.respond(connection, 0.0, None, False)

        assert first.startswith(b"HTTP/1.1 200")
        assert stayed
        assert second.startswith(b"HTTP/1.1 503")
        assert b"Connection: close" in second
        assert connection.closing
