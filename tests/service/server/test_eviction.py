"""Who gives way where connections or memory run short: the slow of whoever holds most, never a complete request."""

import socket
from collections.abc import Iterator

import pytest

from service.server.connection import NEVER, Connection, MemoryBudget
from service.server.eviction import CROWD, order_for_memory, order_for_slots

NOW = 1000.0
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"


@pytest.fixture
def make() -> Iterator["Maker"]:
    maker = Maker()
    yield maker
    maker.close()


class Maker:
    """Makes connections in any state."""

    def __init__(self) -> None:
        self.all: list[Connection] = []
        self._peers: dict[Connection, socket.socket] = {}
        self._budget = MemoryBudget(10**9)

    def __call__(self, address: str, seconds: float, data: bytes = b"", deadline: float = NOW + 60) -> Connection:
        """A connection without progress for so many seconds, whose client has sent `data`."""
        ours, theirs = socket.socketpair()
        connection = Connection(TcpLike(ours), (address, 1), 10**6, self._budget, deadline)  # type: ignore[arg-type]
        self._peers[connection] = theirs
        if data:
            self.send(connection, data)
        connection.since = NOW - seconds
        self.all.append(connection)
        return connection

    def send(self, connection: Connection, data: bytes) -> None:
        """Let the client send, and the connection receive."""
        self._peers[connection].sendall(data)
        assert connection.receive()

    def close(self) -> None:
        """Close all; nothing is held afterwards."""
        for connection in self.all:
            connection.close()
        for each in self._peers.values():
            each.close()
        assert self._budget.held == 0


class TcpLike:
    """A socket that takes the options of TCP."""

    def __init__(self, other: socket.socket) -> None:
        self._other = other

    def __getattr__(self, name: str) -> object:
        return getattr(self._other, name)

    def setsockopt(self, *_: object) -> None:
        pass


def test_idle_connections_give_way_first_and_the_idlest_of_them_first(make: Maker) -> None:
    stalled, used, idle = make("a", 50, b"G"), make("a", 0.2), make("a", 5)

    assert list(order_for_slots(make.all, NOW)) == [idle, stalled, used]


def test_of_unfinished_ones_the_slowest_of_the_address_with_most_connections_gives_way(make: Maker) -> None:
    single = make("b", 50, b"G")
    many = [make("a", seconds, b"G") for seconds in (5, 9, 7)]

    assert list(order_for_slots(make.all, NOW)) == [many[1], many[2], single, many[0]]


def test_a_complete_request_never_gives_way(make: Maker) -> None:
    make("a", 50, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", deadline=NEVER)
    make("a", 50, HEAD, deadline=NEVER)

    assert list(order_for_slots(make.all, NOW)) == []
    assert list(order_for_memory(make.all, NOW)) == []


def test_a_body_that_pauses_for_half_a_second_gives_way_only_in_a_crowd(make: Maker) -> None:
    pausing = make("a", 0.5, HEAD)
    alone = list(order_for_slots(make.all, NOW))
    for _ in range(CROWD):
        make("b", 0.0, HEAD)

    assert alone == []
    assert list(order_for_slots(make.all, NOW)) == [pausing]


def test_memory_is_taken_from_the_address_that_holds_most_of_it(make: Maker) -> None:
    small = [make("a", seconds, HEAD + bytes(10)) for seconds in (9, 8, 7)]
    large = make("b", 2, HEAD + bytes(10_000))
    make("c", 0.5, HEAD + bytes(50_000))
    make("d", 99)

    assert list(order_for_memory(make.all, NOW)) == [large, *small]


def test_a_drip_is_no_progress(make: Maker) -> None:
    connection = make("a", 9, HEAD)
    connection.restart(NOW - 9)
    make.send(connection, bytes(1000))
    connection.note_progress(NOW)

    assert connection.since == NOW - 9


def test_who_holds_much_has_to_be_fast(make: Maker) -> None:
    slow, fast = make("a", 9, HEAD), make("a", 9, HEAD)
    for connection, size in ((slow, 1500), (fast, 3000)):
        make.send(connection, bytes(60_000))
        connection.restart(NOW - 9)
        make.send(connection, bytes(size))
        connection.note_progress(NOW)

    assert (slow.since, fast.since) == (NOW - 9, NOW)
