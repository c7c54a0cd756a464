"""Thousands of connections at once from another address of this machine, in one thread: floods, drips, non-readers."""

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

ELSEWHERE = "127.0.0.2"  # Linux has all of 127.0.0.0/8: another client than the bystanders
SELECT_SECONDS = 0.05
STATUS_BYTES = 16
SLICE = 1 << 17  # bytes given to one socket at a time


@dataclass(eq=False)
class Connection:
    """One connection of a flood: how much of the content it has sent, and what came back."""

    socket: socket.socket
    sent: int = 0
    received: bytes = b""  # the first bytes of the first response
    closed: bool = False  # by the service


class Flood:
    """Opens connections, sends the same content on each, and keeps them open; reads responses only if asked to."""

    def __init__(
        self, port: int, number: int, content: bytes, *, address: str = ELSEWHERE, read: bool = True, drip: float = 0
    ) -> None:
        self.connections = [_connect(port, address, read) for _ in range(number)]
        self._content = memoryview(content)
        self._read = read
        self._drip = drip  # seconds from one byte to the next; 0: as fast as the service takes them
        self._selector = selectors.DefaultSelector()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begin."""
        for connection in self.connections:
            self._selector.register(connection.socket, selectors.EVENT_WRITE, connection)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        for connection in self.connections:
            connection.socket.close()

    @property
    def complete(self) -> int:
        """How many connections have sent all, or were closed."""
        return sum(each.closed or each.sent == len(self._content) for each in self.connections)

    @property
    def closed(self) -> int:
        """How many connections the service has closed."""
        return sum(each.closed for each in self.connections)

    def statuses(self) -> set[int]:
        """The statuses of the first responses."""
        return {int(each.received[9:12]) for each in self.connections if len(each.received) >= 12}

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ended.is_set():
            for key, events in self._selector.select(SELECT_SECONDS):
                connection: Connection = key.data
                try:
                    self._exchange(connection, events)
                except BlockingIOError:
                    continue
                except OSError:
                    self._forget(connection)
            if self._drip and time.monotonic() >= due:
                due += self._drip
                self._send_a_byte()

    def _exchange(self, connection: Connection, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            end = connection.sent + (1 if self._drip else SLICE)
            connection.sent += connection.socket.send(self._content[connection.sent : end])
            if self._drip or connection.sent == len(self._content):
                self._selector.unregister(connection.socket)
                if self._read:
                    self._selector.register(connection.socket, selectors.EVENT_READ, connection)
            return
        if events & selectors.EVENT_READ:
            data = connection.socket.recv(1 << 16)
            if not data:
                self._forget(connection)
            elif len(connection.received) < STATUS_BYTES:
                connection.received += data[:STATUS_BYTES]

    def _send_a_byte(self) -> None:
        for connection in self.connections:
            if not connection.closed and connection.sent < len(self._content):
                with suppress(OSError):
                    connection.sent += connection.socket.send(self._content[connection.sent : connection.sent + 1])

    def _forget(self, connection: Connection) -> None:
        connection.closed = True
        with suppress(KeyError):
            self._selector.unregister(connection.socket)
        connection.socket.close()


@contextmanager
def flood(
    port: int, number: int, content: bytes, *, address: str = ELSEWHERE, read: bool = True, drip: float = 0
) -> Iterator[Flood]:
    """A flood under way, ended with the block."""
    started = Flood(port, number, content, address=address, read=read, drip=drip)
    started.start()
    try:
        yield started
    finally:
        started.stop()


def _connect(port: int, address: str, read: bool) -> Connection:
    """A connection that is being made: a full backlog delays it and nobody else."""
    client = socket.socket()
    client.setblocking(False)
    if not read:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.bind((address, 0))
    with suppress(BlockingIOError):
        client.connect(("127.0.0.1", port))
    return Connection(client)
