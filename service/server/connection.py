"""One client's connection: a socket that never blocks, the request that arrives and the response that leaves."""

import socket

from service.environ import Deferred
from service.server.request_parser import BodyBudget, RequestParser

RECEIVE_BYTES = 65536  # no more than the parser keeps of what follows a complete request


class Connection:
    """Reads into `request`, writes from its own buffer.

    Others set `deadline` (monotonic seconds), `closing` (whether the response under way is the last) and `deferred`
    (what the request waits for before the application is called again).
    """

    def __init__(self, client: socket.socket, address: tuple[str, int], budget: BodyBudget, deadline: float) -> None:
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = client
        self.address = address
        self.request = RequestParser(budget)
        self.deadline = deadline
        self.lingering = False
        self.closing = False
        self.deferred: Deferred | None = None
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
        return bool(data)

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
        self.request.release()
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket and give the body's memory back to the budget."""
        self.request.release()
        self.socket.close()
