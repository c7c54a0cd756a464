"""The listening sockets that all workers share, and the manners of taking connections from them.

Whoever wakes first would take everything: with keep-alive clients one worker then does all the work while the others
idle. So a worker that holds more connections than another leaves a new one alone for a moment. Sharing the sockets,
rather than giving each worker its own by SO_REUSEPORT, keeps connections that nobody has accepted yet from being lost
with a worker.
"""

import errno
import selectors
import socket
import time
from collections.abc import Sequence

from service.ipc.scoreboard import Scoreboard
from service.server.connections import ConnectionManager

YIELD = 0.002  # seconds that a new connection is left to the workers that hold fewer


class FairListener:
    """Accepts for one worker and hands each connection to its clients."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        selector: selectors.BaseSelector,
        scoreboard: Scoreboard,
        slot: int,
        clients: ConnectionManager,
    ) -> None:
        self._sockets = sockets
        self._selector = selector
        self._scoreboard = scoreboard
        self._slot = slot
        self._clients = clients
        self._registered = False
        self._closed = False
        self._has_yielded = False
        self._yield_until = 0.0

    def listen(self) -> None:
        """Take part, unless the worker has just left a connection to the others."""
        if not self._registered and not self._closed and time.monotonic() >= self._yield_until:
            for each in self._sockets:
                each.setblocking(False)
                self._selector.register(each, selectors.EVENT_READ, self._accept)
            self._registered = True

    def pause(self) -> None:
        """Stop accepting; connections wait in the kernel for this or another worker."""
        if self._registered:
            for each in self._sockets:
                self._selector.unregister(each)
            self._registered = False

    def take_all(self) -> bool:
        """Accept everyone who waits, whatever the others hold; False where there is no room for all of them now."""
        for each in self._sockets:
            while self._clients.has_room():
                if not self._take(each):
                    break
            else:
                return False
        return True

    @property
    def patience(self) -> float:
        """Seconds until the listener wants to be called again."""
        return float("inf") if self._registered or self._closed else YIELD

    def _accept(self, listener: socket.socket) -> None:
        """Accept one connection; after yielding once, whatever the others hold, so that no client is stranded."""
        if not self._has_yielded and self._scoreboard.should_yield(self._slot):
            self._has_yielded = True
            self._rest()
            return
        self._has_yielded = False
        if not self._clients.has_room():
            self._rest()
            return
        self._take(listener)

    def _take(self, listener: socket.socket) -> bool:
        """Accept one connection; whether it is worth trying again."""
        try:
            self._clients.open(*listener.accept())
        except OSError as error:  # mostly: another worker was faster, or the client gave up
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._rest()
                return self._clients.make_room()
            if error.errno == errno.EINVAL:  # another worker has ended the listening for all
                self.pause()
                self._closed = True
            return False
        return True

    def _rest(self) -> None:
        self._yield_until = time.monotonic() + YIELD
        self.pause()
