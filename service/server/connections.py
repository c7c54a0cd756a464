"""All clients of one worker: their connections, the queue of complete requests, and the time each may take."""

import logging
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from service.environ import Deferred
from service.errors import QueueFull, RequestError, RequestTimeout
from service.server.connection import Connection
from service.server.request_parser import BodyBudget
from service.server.wsgi import WsgiGateway
from service.settings import Settings

LINGER = 2.0  # seconds that a client gets to read a refusal before its connection is closed
WAIT_POLL = 0.02  # seconds between looks at whether a wait is over
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NEVER = float("inf")

logger = logging.getLogger("convserve")


class ConnectionManager:
    """Reads from all connections without blocking and answers complete requests one after another.

    A connection is registered with the selector while it is waited for: for its bytes, or for room to send. While its
    request is in the queue it is not, so a client can neither overtake itself nor be closed under way.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        settings: Settings,
        gateway: WsgiGateway,
        on_count: Callable[[int], None],
    ) -> None:
        self._selector = selector
        self._settings = settings
        self._gateway = gateway
        self._on_count = on_count
        self._budget = BodyBudget(settings.max_body_bytes, settings.max_buffered_bytes)
        self._connections: set[Connection] = set()
        self._queue: deque[tuple[Connection, float, RequestError | None]] = deque()
        self._waiting: list[tuple[Connection, Deferred, float]] = []
        self._next_resume = 0.0
        self.leaving = False

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def busy(self) -> bool:
        """Whether a request is arriving, waiting or being answered."""
        return any(not connection.idle for connection in self._connections)

    def open(self, client: socket.socket, address: tuple[str, int]) -> None:
        """Take a new connection."""
        connection = Connection(client, address, self._budget, _in(self._settings.idle_timeout))
        self._connections.add(connection)
        self._on_count(len(self._connections))
        self._await_bytes(connection)

    def answer_next(self) -> bool:
        """Answer the request at the head of the queue; False where there is none."""
        if not self._queue:
            return False
        connection, since, refusal = self._queue.popleft()
        self._answer(connection, since, refusal)
        return True

    @property
    def patience(self) -> float:
        """Seconds until the clients want `resume` to be called again."""
        return WAIT_POLL if self._waiting else NEVER

    def resume(self) -> None:
        """Let every request whose wait is over have its turn."""
        if not self._waiting or time.monotonic() < self._next_resume:
            return
        self._next_resume = time.monotonic() + WAIT_POLL
        waiting, self._waiting = self._waiting, []
        for connection, wait, since in waiting:
            if _is_over(wait):
                self._queue.appendleft((connection, since, None))
            else:
                self._waiting.append((connection, wait, since))

    def expire(self) -> None:
        """End every connection whose time is up; one that has sent a part of a request is told why."""
        now = time.monotonic()
        for connection in [each for each in self._connections if each.deadline <= now]:
            self._selector.unregister(connection.socket)
            if connection.incoming.started and not connection.sending and not connection.lingering:
                seconds = f"{self._settings.read_timeout:g} seconds"
                connection.incoming.refusal = RequestTimeout(f"the request did not arrive within {seconds}: try again")
                self._answer(connection, now, connection.incoming.refusal)
            else:
                self._close(connection)

    def close(self) -> None:
        """End all connections."""
        for connection in list(self._connections):
            self._close(connection)

    def has_room(self) -> bool:
        """Whether one more connection can be taken, if need be in the place of one that is idle."""
        return len(self._connections) < self._settings.max_connections or self.make_room()

    def make_room(self) -> bool:
        """Close the connection that has been idle for longest; False where none is idle."""
        idle = [connection for connection in self._connections if connection.idle]
        if idle:
            oldest = min(idle, key=lambda connection: connection.deadline)
            self._selector.unregister(oldest.socket)
            self._close(oldest)
        return bool(idle)

    # Reading

    def _await_bytes(self, connection: Connection) -> None:
        self._selector.register(connection.socket, selectors.EVENT_READ, lambda _: self._on_readable(connection))

    def _on_readable(self, connection: Connection) -> None:
        if connection not in self._connections:
            return  # closed to make room since the selector looked
        had_started = connection.incoming.started
        if not connection.receive():
            self._selector.unregister(connection.socket)
            self._close(connection)
        elif not connection.lingering:
            self._advance(connection, had_started)

    def _advance(self, connection: Connection, had_started: bool) -> None:
        """Queue the request if it is complete, else set how long the rest may take."""
        incoming = connection.incoming
        if incoming.complete or incoming.refusal:
            self._selector.unregister(connection.socket)
            self._enqueue(connection)
            return
        if incoming.started and not had_started:
            connection.deadline = _in(self._settings.read_timeout)
        if incoming.wants_continue():
            connection.put(CONTINUE)
            connection.flush()

    def _enqueue(self, connection: Connection) -> None:
        """Let the request wait for its turn; where too many wait already, its turn is now and the answer is no."""
        connection.deadline = NEVER
        refusal, now = connection.incoming.refusal, time.monotonic()
        if refusal is None and len(self._queue) >= self._settings.max_queue:
            waiting = f"{len(self._queue)} requests are waiting already"
            self._queue.appendleft((connection, now, QueueFull(f"{waiting}: try again in a moment")))
        else:
            self._queue.append((connection, now, refusal))

    # Answering

    def _answer(self, connection: Connection, since: float, refusal: RequestError | None) -> None:
        try:
            self._gateway.answer(connection, time.monotonic() - since, refusal, self.leaving)
        except Exception:
            logger.exception("the application failed outside its own error handling")
            self._close(connection)
            return
        if connection.wait:
            self._waiting.append((connection, connection.wait, since))
        else:
            self._send(connection)

    def _send(self, connection: Connection) -> None:
        """Send what the client takes now, and when it has all, go on as the answer demands."""
        if not connection.flush():
            self._close(connection)
        elif connection.sending:
            connection.deadline = _in(self._settings.read_timeout)
            self._selector.register(connection.socket, selectors.EVENT_WRITE, lambda _: self._on_writable(connection))
        elif not connection.closing:
            self._await_next(connection)
        elif connection.incoming.refusal:
            self._linger(connection)
        else:
            self._close(connection)

    def _on_writable(self, connection: Connection) -> None:
        self._selector.unregister(connection.socket)
        self._send(connection)

    def _await_next(self, connection: Connection) -> None:
        connection.deadline = _in(self._settings.idle_timeout)
        self._await_bytes(connection)
        connection.incoming.next()
        if connection.incoming.started:
            self._advance(connection, had_started=False)

    def _linger(self, connection: Connection) -> None:
        connection.deadline = _in(LINGER)
        with suppress(OSError):
            connection.linger()
        self._await_bytes(connection)

    def _close(self, connection: Connection) -> None:
        """End a connection that is not registered."""
        connection.close()
        self._connections.discard(connection)
        self._on_count(len(self._connections))


def _is_over(wait: Deferred) -> bool:
    try:
        return wait.is_over()
    except Exception:  # the request itself will meet it again, and be answered
        logger.exception("nobody can tell whether a request has waited for long enough")
        return True


def _in(seconds: float) -> float:
    return time.monotonic() + seconds
