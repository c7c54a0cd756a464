"""One client's connection: a socket that never blocks, the request that arrives and the response that leaves."""

import socket
from dataclasses import dataclass

from service.environ import Deferred
from service.errors import Overloaded
from service.server.request_parser import RequestParser

RECEIVE_BYTES = 65536  # no more than the parser keeps of what follows a complete request


@dataclass
class MemoryBudget:
    """How many bytes all unfinished requests of a worker together may hold in memory."""

    limit: int
    held: int = 0


class Connection:
    """Reads into `request`, writes from its own buffer.

    Others set `deadline` (monotonic seconds), `closing` (whether the response under way is the last) and `deferred`
    (what the request waits for before the application is called again).
    """

    def __init__(
        self,
        client: socket.socket,
        address: tuple[str, int],
        max_body_bytes: int,
        budget: MemoryBudget,
        deadline: float,
    ) -> None:
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = client
        self.address = address
        self.request = RequestParser(max_body_bytes)
        self.deadline = deadline
        self.lingering = False
        self.closing = False
        self.deferred: Deferred | None = None
        self._budget = budget
        self._held = 0  # bytes of the budget
        self._unsent = bytearray()

    @property
    def idle(self) -> bool:
        """Whether nothing of a request has come and nothing of a response is left to send."""
        return not (self.request.started or self._unsent or self.lingering)

    @property
    def sending(self) -> bool:
        """Whether a part of the response is not sent yet."""
        return bool(self._unsent)

    def receive(self) -> bool:
        """Read once; False when the client has closed the connection."""
        try:
            data = self.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if data and not self.lingering:
            self.request.feed(data)
            self._account(self.request.held, self.request.missing)
        return bool(data)

    def next(self) -> None:
        """Forget the request that has been answered and begin with what the client has sent of the next one."""
        self.request.next()
        self._account(self.request.held, self.request.missing)

    def send(self, data: bytes = b"") -> bool:
        """Send what the socket takes now of what is unsent and of `data`; False when the client has gone."""
        self._unsent += data
        try:
            if self._unsent:
                del self._unsent[: self.socket.send(self._unsent)]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def linger(self) -> None:
        """Send no more, but read what still comes, so that the last response is not lost to a reset.

        A socket closed with unread bytes makes TCP send RST, which can overtake the response (RFC 9112, section 9.6).
        """
        self.lingering = True
        self._release()
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket and give the memory of the request back to the budget."""
        self._release()
        self.socket.close()

    def _release(self) -> None:
        self.request.release()
        self._account(held=0, missing=0)

    def _account(self, held: int, missing: int) -> None:
        """Take what the request holds now from the budget; refuse a request that goes beyond it and is not complete."""
        self._budget.held += held - self._held
        self._held = held
        if not (self.request.complete or self.request.error) and self._budget.held + missing > self._budget.limit:
            self.request.error = Overloaded("too many large requests are arriving at once: try again in a moment")
