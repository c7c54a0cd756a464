"""One client's connection: a socket that never blocks, the request that arrives and the answer that leaves."""

import socket

from service.environ import Deferred
from service.server.request_parser import BodyBudget, RequestParser

RECEIVE_BYTES = 65536  # no more than the parser keeps of what follows a complete request


class Connection:
    """Reads into `incoming`, writes from its own buffer.

    The worker sets `deadline` (monotonic seconds), `closing` (whether the answer under way is the last) and `wait`
    (what has to be over before the request can be answered).
    """

    def __init__(self, client: socket.socket, address: tuple[str, int], budget: BodyBudget, deadline: float) -> None:
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = client
        self.address = address
        self.incoming = RequestParser(budget)
        self.deadline = deadline
        self.lingering = False
        self.closing = False
        self.wait: Deferred | None = None
        self._unsent = bytearray()

    @property
    def idle(self) -> bool:
        """Whether nothing of a request has come and nothing of an answer is left."""
        return not (self.incoming.started or self._unsent or self.lingering)

    @property
    def sending(self) -> bool:
        """Whether the client has yet to take a part of the answer."""
        return bool(self._unsent)

    def receive(self) -> bool:
        """Read once; False when the client is gone."""
        try:
            data = self.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if data and not self.lingering:
            self.incoming.feed(data)
        return bool(data)

    def put(self, data: bytes) -> None:
        """Add to what is to be sent; `flush` sends it."""
        self._unsent += data

    def flush(self) -> bool:
        """Send what the socket takes now; False when the client is gone."""
        try:
            if self._unsent:
                del self._unsent[: self.socket.send(self._unsent)]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def linger(self) -> None:
        """Send no more, but take in what still comes, so that the last answer is not lost to a reset.

        A socket closed with unread bytes makes TCP send RST, which can overtake the answer (RFC 9112, section 9.6).
        """
        self.lingering = True
        self.incoming.release()
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End the connection and give its memory back."""
        self.incoming.release()
        self.socket.close()
