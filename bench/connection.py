"""One keep-alive connection that sends prepared bytes: a client that costs little beside what it measures."""

import socket
from types import TracebackType
from typing import Self

from bench.messages import END, check_answer, read_head
from bench.target import Target

TIMEOUT = 30.0  # seconds without a sign of the service
CHUNK = 1 << 16


class Connection:
    """A context manager that closes what it opened; raises OSError where nobody listens."""

    def __init__(self, target: Target) -> None:
        self._socket = socket.create_connection((target.host, target.port), TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the end of a long request must not wait

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._socket.close()

    def exchange(self, request: bytes) -> bytes:
        """Send a whole request and return the body of its answer; raises Unanswered for a status other than 200.

        Raises OSError where the connection breaks or the answer cannot be framed.
        """
        self._socket.sendall(request)
        answer = self._receive()
        while END not in answer:
            answer += self._receive()
        start = answer.index(END) + len(END)
        status, length = read_head(answer[:start])
        while len(answer) < start + length:
            answer += self._receive()
        return check_answer(status, answer[start:])

    def _receive(self) -> bytes:
        data = self._socket.recv(CHUNK)
        if not data:
            raise ConnectionError("the service closed the connection before its answer was complete")
        return data
