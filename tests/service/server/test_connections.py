"""Requests that wait for something outside the queue: each is answered, whatever becomes of what it waits for."""

import selectors
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from service.environ import Deferred
from service.server.connection import Connection
from service.server.connections import ConnectionManager
from service.settings import Settings
from tests.support.processes.service import until


def nobody_knows() -> bool:
    raise OSError("too many open files")


class WaitsOnce:
    """A gateway whose answers come when the wait is over."""

    def respond(self, connection: Connection, *_: Any) -> bytes:
        if connection.deferred is None:
            connection.deferred = Deferred("subject", nobody_knows)
            return b""
        connection.deferred = None
        return b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def client() -> Iterator[socket.socket]:
    """Has sent a request to clients whose loop turns until there is an answer."""
    with (
        selectors.DefaultSelector() as selector,
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
    ):
        client.setblocking(False)
        clients = ConnectionManager(selector, Settings(), WaitsOnce(), lambda _: None)  # type: ignore[arg-type]  # a fake
        clients.open(*listener.accept())
        client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")

        def turn() -> bool:
            for key, _ in selector.select(0.01):
                key.data()
            clients.resume_deferred()
            while clients.respond_next():
                pass
            return is_readable(client)

        until(turn, "there is an answer", seconds=5)
        yield client
        clients.close()


def is_readable(client: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ)
        return bool(selector.select(0))


def test_a_wait_whose_end_nobody_can_tell_is_over(client: socket.socket) -> None:
    assert client.recv(100).startswith(b"HTTP/1.1 500")
