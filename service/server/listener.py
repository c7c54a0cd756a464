"""The listening sockets that all workers share, and a rule that spreads the connections evenly.

Without a rule, the worker that wakes first accepts everything: with keep-alive clients one worker then does all the
work while the others are idle. So a worker that holds more connections than another one leaves a new connection for
2 ms to the others. The sockets are shared, not one a worker by SO_REUSEPORT, because connections that are not yet
accepted would be lost with a worker's own socket.
"""

import errno
import selectors
import socket
import time
from collections.abc import Sequence
from functools import partial

from service.ipc.scoreboard import Scoreboard
from service.server.connections import ConnectionManager

YIELD = 0.002  # seconds that a new connection is left to the workers that hold fewer
ACCEPTS = 64  # connections at once, so that a flood does not keep others waiting in the kernel
SEND_BUFFER = 65536  # bytes of responses that the kernel keeps for each connection; it may double them


class FairListener:
    """Accepts for one worker and hands each connection to its connection manager."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        selector: selectors.BaseSelector,
        scoreboard: Scoreboard,
        slot: int,
        connections: ConnectionManager,
    ) -> None:
        self._sockets = sockets
        for each in sockets:  # accepted connections inherit it
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._selector = selector
        self._scoreboard = scoreboard
        self._slot = slot
        self._connections = connections
        self._registered = False
        self._closed = False
        self._has_yielded = False
        self._yield_until = 0.0

    def listen(self) -> None:
        """Watch the sockets, unless the worker has just left a connection to the others."""
        if not self._registered and not self._closed and time.monotonic() >= self._yield_until:
            for each in self._sockets:
                each.setblocking(False)
                self._selector.register(each, selectors.EVENT_READ, partial(self._accept, each))
            self._registered = True

    def pause(self) -> None:
        """Stop accepting; connections wait in the kernel for this or another worker."""
        if self._registered:
            for each in self._sockets:
                self._selector.unregister(each)
            self._registered = False

    def accept_all(self) -> bool:
        """Accept all that wait, whatever the other workers hold; False where there is no room for all of them now."""
        for each in self._sockets:
            while self._connections.has_room():
                if not self._accept_one(each):
                    break
            else:
                return False
        return True

    @property
    def timeout(self) -> float:
        """Seconds until `listen` is to be called again."""
        return float("inf") if self._registered or self._closed else YIELD

    def _accept(self, listener: socket.socket) -> None:
        """Accept what waits, up to a number. A worker yields once at most, so that every client is accepted."""
        for _ in range(ACCEPTS if self._registered else 0):
            yields = not self._has_yielded and self._scoreboard.should_yield(self._slot)
            if yields or not self._connections.has_room():
                self._has_yielded = yields
                self._pause_briefly()
                return
            self._has_yielded = False
            if not self._accept_one(listener):
                return

    def _accept_one(self, listener: socket.socket) -> bool:
        """Accept one connection; whether it is worth trying again."""
        try:
            self._connections.open(*listener.accept())
        except OSError as error:  # mostly: another worker was faster, or the client gave up
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._pause_briefly()
                return self._connections.make_room()
            if error.errno == errno.EINVAL:  # another worker has stopped listening for all
                self.pause()
                self._closed = True
            return False
        return True

    def _pause_briefly(self) -> None:
        self._yield_until = time.monotonic() + YIELD
        self.pause()
