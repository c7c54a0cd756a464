"""All connections of one worker: the queue of complete requests, and the time that each connection may take."""

import logging
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from service.environ import Deferred
from service.errors import QueueFull, RequestError, RequestTimeout
from service.server.connection import Connection, MemoryBudget
from service.server.wsgi import WsgiGateway
from service.settings import Settings

LINGER_SECONDS = 2.0  # seconds that a client gets to read an error before its connection is closed
DEFERRED_POLL_INTERVAL = 0.02  # seconds between looks at whether a deferred request can go on
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NEVER = float("inf")

logger = logging.getLogger("convserve")


class ConnectionManager:
    """Reads from all connections without blocking and responds to complete requests one after another.

    A connection is registered with the selector while the worker waits for its bytes, or for room to send. While its
    request is in the queue it is not registered, so its next request is read only after the response.
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
        self._budget = MemoryBudget(settings.max_buffered_bytes)
        self._connections: set[Connection] = set()
        self._queue: deque[tuple[Connection, float, RequestError | None]] = deque()
        self._deferred: list[tuple[Connection, Deferred, float]] = []
        self._next_resume = 0.0
        self.leaving = False

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def busy(self) -> bool:
        """Whether a request is arriving, waiting or being responded to."""
        return any(not connection.idle for connection in self._connections)

    def open(self, client: socket.socket, address: tuple[str, int]) -> None:
        """Take a new connection."""
        deadline = _seconds_from_now(self._settings.idle_timeout)
        connection = Connection(client, address, self._settings.max_body_bytes, self._budget, deadline)
        self._connections.add(connection)
        self._on_count(len(self._connections))
        self._await_bytes(connection)

    def respond_next(self) -> bool:
        """Respond to the request at the head of the queue; False where there is none."""
        if not self._queue:
            return False
        connection, since, error = self._queue.popleft()
        self._respond(connection, since, error)
        return True

    @property
    def timeout(self) -> float:
        """Seconds until `resume_deferred` is to be called again; infinity where no request is deferred."""
        return DEFERRED_POLL_INTERVAL if self._deferred else NEVER

    def resume_deferred(self) -> None:
        """Put every deferred request that can go on back at the head of the queue."""
        if not self._deferred or time.monotonic() < self._next_resume:
            return
        self._next_resume = time.monotonic() + DEFERRED_POLL_INTERVAL
        pending, self._deferred = self._deferred, []
        for connection, deferred, since in pending:
            if _is_over(deferred):
                self._queue.appendleft((connection, since, None))
            else:
                self._deferred.append((connection, deferred, since))

    def expire(self) -> None:
        """Close every connection whose time is up; one that has sent a part of a request gets an error first."""
        now = time.monotonic()
        for connection in [each for each in self._connections if each.deadline <= now]:
            self._selector.unregister(connection.socket)
            if connection.request.started and not connection.sending and not connection.lingering:
                seconds = f"{self._settings.read_timeout:g} seconds"
                connection.request.error = RequestTimeout(f"the request did not arrive within {seconds}: try again")
                self._respond(connection, now, connection.request.error)
            else:
                self._close(connection)

    def close(self) -> None:
        """Close all connections."""
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
        self._selector.register(connection.socket, selectors.EVENT_READ, partial(self._on_readable, connection))

    def _on_readable(self, connection: Connection) -> None:
        if connection not in self._connections:
            return  # closed to make room since the selector looked
        had_started = connection.request.started
        if not connection.receive():
            self._selector.unregister(connection.socket)
            self._close(connection)
        elif not connection.lingering:
            self._advance(connection, had_started)

    def _advance(self, connection: Connection, had_started: bool) -> None:
        """Queue the request if it is complete, else set how long the rest may take."""
        request = connection.request
        if request.complete or request.error:
            self._selector.unregister(connection.socket)
            self._enqueue(connection)
            return
        if request.started and not had_started:
            connection.deadline = _seconds_from_now(self._settings.read_timeout)
        if request.wants_continue():
            connection.send(CONTINUE)

    def _enqueue(self, connection: Connection) -> None:
        """Put the request into the queue; where too many wait already, respond with QueueFull next."""
        connection.deadline = NEVER
        error, now = connection.request.error, time.monotonic()
        if error is None and len(self._queue) >= self._settings.max_queue:
            waiting = f"{len(self._queue)} requests are waiting already"
            self._queue.appendleft((connection, now, QueueFull(f"{waiting}: try again in a moment")))
        else:
            self._queue.append((connection, now, error))

    # Responding

    def _respond(self, connection: Connection, since: float, error: RequestError | None) -> None:
        try:
            response = self._gateway.respond(connection, time.monotonic() - since, error, self.leaving)
        except Exception:
            logger.exception("the application failed outside its own error handling")
            self._close(connection)
            return
        if connection.deferred:
            self._deferred.append((connection, connection.deferred, since))
        else:
            self._send(connection, response)

    def _send(self, connection: Connection, data: bytes = b"") -> None:
        """Send what the socket takes now; after the last byte wait for the next request, or close."""
        if not connection.send(data):
            self._close(connection)
        elif connection.sending:
            connection.deadline = _seconds_from_now(self._settings.read_timeout)
            self._selector.register(connection.socket, selectors.EVENT_WRITE, partial(self._on_writable, connection))
        elif not connection.closing:
            connection.next()
            self._await_next(connection)
        elif connection.request.error:
            self._linger(connection)
        else:
            self._close(connection)

    def _on_writable(self, connection: Connection) -> None:
        self._selector.unregister(connection.socket)
        self._send(connection)

    def _await_next(self, connection: Connection) -> None:
        connection.deadline = _seconds_from_now(self._settings.idle_timeout)
        self._await_bytes(connection)
        if connection.request.started:
            self._advance(connection, had_started=False)

    def _linger(self, connection: Connection) -> None:
        connection.deadline = _seconds_from_now(LINGER_SECONDS)
        with suppress(OSError):
            connection.linger()
        self._await_bytes(connection)

    def _close(self, connection: Connection) -> None:
        """Close a connection that is not registered with the selector."""
        connection.close()
        self._connections.discard(connection)
        self._on_count(len(self._connections))


def _is_over(deferred: Deferred) -> bool:
    try:
        return deferred.is_over()
    except Exception:  # the application raises it again when it is called, and responds with an error
        logger.exception("cannot tell whether a deferred request can go on")
        return True


def _seconds_from_now(seconds: float) -> float:
    return time.monotonic() + seconds
