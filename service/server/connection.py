"""One client's connection: a socket that never blocks, the request that arrives and the response that leaves."""

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from service.environ import Deferred
from service.errors import Overloaded
from service.server.request_parser import RequestParser

RECEIVE_BYTES = 65536  # no more than the parser keeps of what follows a complete request
SMALL_BYTES = 8192  # a complete request of this size is processed, and another finds room, however much others hold
NEVER = float("inf")
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close at once, and let the kernel forget what it has not sent


@dataclass
class MemoryBudget:
    """How many bytes a worker may hold for all clients together: heads, bodies, and responses not sent yet.

    `make_room(connection, excess)` frees so many bytes of others for a connection; whether it could.
    """

    limit: int
    held: int = 0
    make_room: Callable[["Connection", int], bool] = field(default=lambda _connection, _excess: False)


class Connection:
    """Reads into `request`, writes from its own buffer.

    Others set `deadline` (monotonic seconds; NEVER while a complete request waits or is processed), `closing` (whether
    the response under way is the last) and `deferred` (what the request waits for before the application is called
    again). `since` is the time of the last progress: of a byte, of a good part of what is held, of the last response.
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
        self.since = 0.0
        self.begun = 0.0  # when the first byte of the request came
        self.lingering = False
        self.closing = False
        self.deferred: Deferred | None = None
        self.held = 0  # bytes of the budget
        self._budget = budget
        self._progress = 0  # bytes received, or sent, at the time `since`
        self._unsent = b""
        self._sent = 0  # bytes of `_unsent` that the socket has taken: what is left is not copied for each part

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
            self._account(self.request.held + len(self._unsent), self.request.missing)
        return bool(data)

    def next(self) -> None:
        """Forget the request that has been answered and begin with what the client has sent of the next one."""
        self.request.next()
        self._account(self.request.held, self.request.missing)

    def send(self, data: bytes = b"") -> bool:
        """Send what the socket takes now of what is unsent and of `data`; False when the client has gone."""
        if self._unsent:
            return self._send_rest(data)
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return False
        if sent < len(data):
            self._unsent, self._sent = data, sent
            self._hold(self.request.held + len(data))
        return True

    def _send_rest(self, data: bytes) -> bool:
        if data:  # behind `100 Continue`, for which the socket had no room
            self._unsent, self._sent = self._unsent[self._sent :] + data, 0
        try:
            self._sent += self.socket.send(memoryview(self._unsent)[self._sent :])
        except BlockingIOError:
            pass
        except OSError:
            return False
        if self._sent == len(self._unsent):
            self._unsent, self._sent = b"", 0
        self._hold(self.request.held + len(self._unsent))
        return True

    def note_progress(self, now: float) -> None:
        """Set `since` to `now` if the client has sent or taken enough since then.

        That is a kilobyte, and a 64th of what is held for it: who holds much has to be fast.
        """
        done = self._sent if self._unsent else self.held
        if done - self._progress >= 1024 + self.held // 64:
            self.restart(now)

    def restart(self, now: float) -> None:
        """Begin to look at the progress: the client has begun to send, or to be sent, something new."""
        self.since = now
        self._progress = self._sent if self._unsent else self.held

    def linger(self) -> None:
        """Send no more, but read what still comes, so that the last response is not lost to a reset.

        A socket closed with unread bytes makes TCP send RST, which can overtake the response (RFC 9112, section 9.6).
        """
        self.lingering = True
        self.release()
        self.socket.shutdown(socket.SHUT_WR)

    def close(self, reset: bool = False) -> None:
        """Close the socket and give all memory back, with `reset` also what the kernel holds for this client."""
        self.request.release()
        self._unsent = b""
        self._hold(0)
        if reset:
            with suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.socket.close()

    def release(self) -> None:
        """Give the memory of a request that has been answered back to the budget."""
        self.request.release()
        self._hold(self.request.held + len(self._unsent))

    def _hold(self, held: int) -> None:
        self._budget.held += held - self.held
        self.held = held

    def _account(self, held: int, missing: int) -> None:
        """Take what the request holds now from the budget; refuse a request for which there is no room."""
        self._hold(held)
        excess = self._budget.held + missing - self._budget.limit
        if excess <= 0 or self.request.error or (self.request.complete and held <= SMALL_BYTES):
            return
        if not self._budget.make_room(self, excess):
            self.request.fail(Overloaded("too many large requests are arriving at once: try again in a moment"))
