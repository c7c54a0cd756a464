"""A connection takes the memory of its request from the worker's budget, and gives it back whatever becomes of it."""

import socket
from collections.abc import Callable, Iterator

import pytest

from service.server.connection import Connection, MemoryBudget

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
LIMIT = 200 + 2 * len(HEAD)

Open = Callable[[], tuple[socket.socket, Connection]]


@pytest.fixture
def budget() -> MemoryBudget:
    return MemoryBudget(LIMIT)


@pytest.fixture
def connect(budget: MemoryBudget) -> Iterator[Open]:
    """Opens a client's socket and the connection at its other end."""
    opened: list[tuple[socket.socket, Connection]] = []

    def connect() -> tuple[socket.socket, Connection]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            opened.append((client, Connection(*listener.accept(), 1000, budget, 0.0)))
        return opened[-1]

    yield connect
    for client, connection in opened:
        client.close()
        connection.close()


def arrive(client: socket.socket, connection: Connection, data: bytes) -> None:
    client.sendall(data)
    connection.socket.setblocking(True)
    while data:
        before = connection.request.held
        assert connection.receive()
        data = data[connection.request.held - before or len(data) :]


def test_unfinished_requests_share_a_budget(connect: Open, budget: MemoryBudget) -> None:
    first, second, third = connect(), connect(), connect()
    arrive(*first, HEAD + bytes(99))
    arrive(*second, HEAD + bytes(99))
    assert budget.held == LIMIT - 2

    arrive(*third, HEAD)

    assert third[1].request.error is not None
    assert third[1].request.error.status == 503
    assert first[1].request.error is second[1].request.error is None


def test_a_body_that_is_announced_is_refused_before_it_comes(connect: Open) -> None:
    arrive(*connect(), HEAD + bytes(99))
    client, connection = connect()

    arrive(client, connection, HEAD.replace(b"100", b"300"))

    assert connection.request.error is not None
    assert connection.request.error.status == 503


def test_a_complete_request_is_answered_whatever_others_hold(connect: Open, budget: MemoryBudget) -> None:
    budget.held = LIMIT  # of other connections
    client, connection = connect()

    arrive(client, connection, b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")

    assert connection.request.complete
    assert connection.request.error is None


def test_a_request_gives_its_memory_back_when_the_next_one_begins(connect: Open, budget: MemoryBudget) -> None:
    client, connection = connect()
    arrive(client, connection, HEAD + bytes(100))
    held = budget.held

    connection.next()

    assert (held, budget.held) == (len(HEAD) + 100, 0)


@pytest.mark.parametrize("end", [Connection.close, Connection.linger], ids=["closed", "lingering"])
def test_a_request_gives_its_memory_back_once_when_the_connection_ends(
    connect: Open, budget: MemoryBudget, end: Callable[[Connection], None]
) -> None:
    client, connection = connect()
    arrive(client, connection, HEAD)
    held = budget.held

    end(connection)
    connection.close()

    assert (held, budget.held) == (len(HEAD), 0)
