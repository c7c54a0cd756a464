"""The process behind `traffic`: one thread a client, blocking sockets, as little work a request as Python allows.

Its first line of input is the settings as JSON; it works until its input ends, then prints the results as JSON.
"""

import json
import re
import select
import socket
import sys
import threading
import time
from dataclasses import dataclass

RETRY = 0.005  # seconds before a refused client connects again
VERSION = re.compile(rb'"model_version": ?"?(\d+)')
HEAD_END = b"\r\n\r\n"

Outcome = tuple[float, float, float, int, str, int | None, bool]  # the fields of traffic.Result


@dataclass(frozen=True)
class LoadSettings:
    """What all clients do: the k-th request of all is due k × `interval` seconds after `begun`."""

    host: str
    port: int
    timeout: float  # seconds without a byte after which a request counts as lost
    begun: float
    interval: float
    connections: int
    retry_refused: bool


class NotSent(Exception):
    """The load ended while a connection was still refused: no request is lost."""


class Client:
    """One client; it keeps its connection as long as its own request and the server's responses allow."""

    def __init__(
        self, order: LoadSettings, number: int, request: bytes, keep_alive: bool, stop: threading.Event
    ) -> None:
        self._order = order
        self._number = number
        self._request = request
        self._keep_alive = keep_alive
        self._stop = stop
        self._socket: socket.socket | None = None
        self.outcomes: list[Outcome] = []

    def run(self) -> None:
        """Send whenever a request is due, at once where it is overdue, until the input ends."""
        due = self._order.begun + self._number * self._order.interval
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            self._send(due)
            due += self._order.interval * self._order.connections
        self._leave()

    def _send(self, due: float) -> None:
        sent, reused = time.monotonic(), False
        try:
            connection, reused = self._connect()
            sent = time.monotonic()
            connection.sendall(self._request)
            (status, version, stays), error = receive(connection), ""
        except NotSent:
            return
        except (OSError, ValueError) as failure:
            (status, version, stays), error = (0, None, False), f"{type(failure).__name__}: {failure}"
        self.outcomes.append((due, sent, time.monotonic(), status, error, version, reused))
        if not (stays and self._keep_alive):
            self._leave()

    def _connect(self) -> tuple[socket.socket, bool]:
        """A connection, and whether it has served before. One that the server has closed meanwhile is not used."""
        if self._socket is not None and select.select([self._socket], [], [], 0)[0]:
            self._leave()
        if self._socket is not None:
            return self._socket, True
        self._socket = self._open()
        return self._socket, False

    def _open(self) -> socket.socket:
        """Open a connection; only a refused connection is tried again, as then no server has seen the request."""
        while True:
            try:
                return socket.create_connection((self._order.host, self._order.port), self._order.timeout)
            except ConnectionRefusedError:
                if not self._order.retry_refused:
                    raise
                if self._stop.wait(RETRY):
                    raise NotSent from None

    def _leave(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def receive(connection: socket.socket) -> tuple[int, int | None, bool]:
    """Status, model version and whether the connection may be used again; raises OSError where no response comes."""
    response = _more(connection, b"")
    while HEAD_END not in response:
        response = _more(connection, response)
    start = response.index(HEAD_END) + len(HEAD_END)
    head = response[:start].lower()
    length = int(head.partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0])
    while len(response) < start + length:
        response = _more(connection, response)
    version = VERSION.search(response, start)
    return int(head[9:12]), int(version[1]) if version else None, b"\r\nconnection: close\r\n" not in head


def _more(connection: socket.socket, response: bytes) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError(f"the connection ended after {len(response)} bytes of the response")
    return response + data


def main() -> None:
    """Read the settings, send the load, print the results."""
    given = json.loads(sys.stdin.readline())
    requests = [(text.encode("latin-1"), keep_alive) for text, keep_alive in given.pop("requests")]
    order, stop = LoadSettings(begun=time.monotonic(), **given), threading.Event()
    clients = [
        Client(order, number, *requests[number % len(requests)], stop=stop) for number in range(order.connections)
    ]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    print("begun", flush=True)  # noqa: T201
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    json.dump([outcome for client in clients for outcome in client.outcomes], sys.stdout)


if __name__ == "__main__":
    main()
