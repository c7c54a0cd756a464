"""The process behind `bystanders`: clients that send a request every 50 ms and note how long each response takes.

Its first line of input is the settings as JSON; it works until its input ends, then prints what it saw as JSON.
"""

import json
import socket
import sys
import threading
import time

from tests.support.load.client_process import receive

PERIOD = 0.05  # seconds from one request to the next
TIMEOUT = 30.0  # seconds after which a request counts as lost

Probe = tuple[float, float, int, str]  # the fields of bystanders.Probe


class Bystander:
    """A client of one request, on one connection or on a new one each time."""

    def __init__(self, port: int, request: bytes, kept: bool, stop: threading.Event) -> None:
        self._port = port
        self._request = request
        self._kept = kept
        self._stop = stop
        self._socket: socket.socket | None = None
        self.probes: list[Probe] = []

    def run(self) -> None:
        """Send and note, until it is stopped."""
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            started, status, error = time.monotonic(), 0, ""
            try:
                status = self._send()
            except (OSError, ValueError) as failure:
                error = f"{type(failure).__name__}: {failure}"
                self._leave()
            self.probes.append((started, time.monotonic() - started, status, error))
            due = max(due + PERIOD, time.monotonic())
        self._leave()

    def _send(self) -> int:
        """The status; a kept connection that was closed meanwhile is replaced, as every HTTP client does."""
        if self._socket is not None:
            try:
                return self._exchange(self._socket)
            except ConnectionError:
                self._leave()
        self._socket = socket.create_connection(("127.0.0.1", self._port), TIMEOUT)
        return self._exchange(self._socket)

    def _exchange(self, connection: socket.socket) -> int:
        connection.sendall(self._request)
        if not self._request.endswith(b"\n") and len(self._request) == 1:  # the echo
            return len(connection.recv(1))
        status, _, stays = receive(connection)
        if not (stays and self._kept):
            self._leave()
        return status

    def _leave(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _echo(listener: socket.socket) -> None:
    """What a server that has nothing to do says: the machine's own delay."""
    client = listener.accept()[0]
    while data := client.recv(1):
        client.sendall(data)


def main() -> None:
    """Read the settings, probe, print what was seen."""
    given = json.loads(sys.stdin.readline())
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_echo, args=[listener], daemon=True).start()
        clients = {"machine": Bystander(listener.getsockname()[1], b"e", True, stop)}
        for name, text in given["requests"].items():
            for kept in (True, False):
                clients[f"{name}, {'kept' if kept else 'new'}"] = Bystander(
                    given["port"], text.encode("latin-1"), kept, stop
                )
        threads = [threading.Thread(target=client.run) for client in clients.values()]
        for thread in threads:
            thread.start()
        print("begun", flush=True)  # noqa: T201
        sys.stdin.read()
        stop.set()
        for thread in threads:
            thread.join()
    json.dump({name: client.probes for name, client in clients.items()}, sys.stdout)


if __name__ == "__main__":
    main()
