"""All connections of one worker: whose request is next, and the time that each connection may take."""

import logging
import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from service.environ import Deferred
from service.errors import Overloaded, QueueFull, RequestError, RequestTimeout
from service.ipc.scoreboard import CloseReason
from service.server.connection import NEVER, SMALL_BYTES, Connection, MemoryBudget
from service.server.eviction import Eviction
from service.server.request_queue import RequestQueue, WaitingRequest
from service.server.wsgi import WsgiGateway
from service.settings import Settings

LINGER_SECONDS = 2.0  # seconds that a client gets to read an error before its connection is closed
DEFERRED_POLL_INTERVAL = 0.02  # seconds between looks at whether a deferred request can go on
EXPIRY_INTERVAL = 0.25  # seconds between looks at the deadlines
CONNECTION_BYTES = 8192  # that a connection takes, beside what it holds for its client
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

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
        on_close: Callable[[CloseReason], None] = lambda _: None,
    ) -> None:
        """`on_count` gets the number of connections, `on_close` why one was closed that its client had not finished."""
        self._selector = selector
        self._settings = settings
        self._gateway = gateway
        self._on_count = on_count
        self._on_close = on_close
        self._connections: set[Connection] = set()
        self._eviction = Eviction(self._connections, settings.max_buffered_bytes, self._evict, self._refuse_slow)
        self._budget = MemoryBudget(settings.max_buffered_bytes, make_room=self._eviction.free_memory)
        self._queue = RequestQueue(settings.max_queue)
        self._deferred: list[tuple[Connection, Deferred, float]] = []
        self._next_resume = self._next_expiry = 0.0
        self.leaving = False

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def held(self) -> int:
        """Bytes that all connections hold: an estimate, as each takes some itself."""
        return self._budget.held + len(self._connections) * CONNECTION_BYTES

    @property
    def busy(self) -> bool:
        """Whether a request is arriving, waiting or being responded to."""
        return bool(self._queue) or any(not connection.idle for connection in self._connections)

    def open(self, client: socket.socket, address: tuple[str, int]) -> None:
        """Take a new connection, if need be in the place of another."""
        if len(self._connections) >= self._settings.max_connections:
            self.make_room()
        now = time.monotonic()
        deadline = now + self._settings.idle_timeout
        connection = Connection(client, address, self._settings.max_body_bytes, self._budget, deadline)
        connection.since = now
        self._connections.add(connection)
        self._on_count(len(self._connections))
        self._await_bytes(connection)

    def respond_next(self) -> bool:
        """Respond to the request whose turn it is; False where there is none."""
        request = self._queue.next()
        if request is None:
            return False
        self._respond(*request)
        return True

    @property
    def timeout(self) -> float:
        """Seconds until the loop is to look again at the queue, the deferred requests and the deadlines."""
        if self._queue:
            return 0.0
        return DEFERRED_POLL_INTERVAL if self._deferred else EXPIRY_INTERVAL if self._connections else NEVER

    def resume_deferred(self) -> None:
        """Put every deferred request that can go on back at the head of the queue."""
        if not self._deferred:
            return
        is_time = time.monotonic() >= self._next_resume
        if is_time:
            self._next_resume = time.monotonic() + DEFERRED_POLL_INTERVAL
        pending, self._deferred = self._deferred, []
        for connection, deferred, since in pending:
            if (is_time or deferred.is_announced) and _is_over(deferred):
                self._queue.add_first(WaitingRequest(connection, since))
            else:
                self._deferred.append((connection, deferred, since))

    def expire(self) -> None:
        """Close connections whose time is up; one that has sent a part of a request gets an error first."""
        now = time.monotonic()
        if now >= self._next_expiry:
            self._next_expiry = now + EXPIRY_INTERVAL
            for connection in [each for each in self._connections if each.deadline <= now]:
                self._expire(connection)

    def close(self) -> None:
        """Close all connections."""
        for connection in list(self._connections):
            self._close(connection)

    def has_room(self) -> bool:
        """Whether one more connection can be taken, if need be in the place of one that can be closed."""
        return len(self._connections) < self._settings.max_connections or self._eviction.can_free_slot()

    def make_room(self) -> bool:
        """Close the connection that is needed least; False where all are needed."""
        return self._eviction.free_slot()

    # Reading

    def _await_bytes(self, connection: Connection) -> None:
        self._selector.register(connection.socket, selectors.EVENT_READ, partial(self._on_readable, connection))

    def _on_readable(self, connection: Connection) -> None:
        if connection.deadline == NEVER or connection not in self._connections:
            return  # refused, or closed, to make room since the selector looked
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
        elif request.started:
            self._set_deadline(connection, had_started, time.monotonic())
            if request.wants_continue():
                connection.send(CONTINUE)

    def _set_deadline(self, connection: Connection, had_started: bool, now: float) -> None:
        if had_started:
            connection.note_progress(now)
        else:
            connection.begun = now
            connection.restart(now)
        whole, head = self._settings.read_timeout, self._settings.head_timeout
        connection.deadline = connection.begun + (whole if connection.request.head_complete else min(head, whole))

    def _enqueue(self, connection: Connection) -> None:
        """Put the request into the queue, or among the refused; where too many wait, respond with QueueFull next."""
        connection.deadline = NEVER
        error, now = connection.request.error, time.monotonic()
        if error:
            if connection.held > SMALL_BYTES:
                connection.release()
            self._queue.reject(WaitingRequest(connection, now, error))
        elif not self._queue.add(WaitingRequest(connection, now)):
            sentence = f"{self._settings.max_queue} requests are waiting already: try again in a moment"
            self._queue.add_first(WaitingRequest(connection, now, QueueFull(sentence)))

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

    def _send(self, connection: Connection, data: bytes) -> None:
        """Send what the socket takes now; what is left goes when the client has read, and all of it by one deadline."""
        if not connection.send(data):
            self._close(connection)
        elif connection.sending:
            now = time.monotonic()
            connection.release()
            connection.restart(now)
            connection.deadline = now + self._settings.read_timeout
            self._await_room(connection)
            excess = self._budget.held - self._budget.limit
            if excess > 0 and not self._eviction.free_memory_for_response(connection, excess):
                self._drop(connection, CloseReason.ROOM)
        else:
            self._finish(connection)

    def _await_room(self, connection: Connection) -> None:
        self._selector.register(connection.socket, selectors.EVENT_WRITE, partial(self._on_writable, connection))

    def _on_writable(self, connection: Connection) -> None:
        if connection not in self._connections:
            return  # closed to make room since the selector looked
        self._selector.unregister(connection.socket)
        if not connection.send():
            self._close(connection)
        elif connection.sending:
            connection.note_progress(time.monotonic())
            self._await_room(connection)
        else:
            self._finish(connection)

    def _finish(self, connection: Connection) -> None:
        """After the last byte of a response, wait for the next request, or close."""
        if not connection.closing:
            connection.next()
            self._await_next(connection)
        elif connection.request.error:
            self._linger(connection)
        else:
            self._close(connection)

    def _await_next(self, connection: Connection) -> None:
        connection.since = time.monotonic()
        connection.deadline = connection.since + self._settings.idle_timeout
        self._await_bytes(connection)
        if connection.request.started:
            self._advance(connection, had_started=False)

    def _linger(self, connection: Connection) -> None:
        connection.since = time.monotonic()
        connection.deadline = connection.since + LINGER_SECONDS
        with suppress(OSError):
            connection.linger()
        self._await_bytes(connection)

    # Closing

    def _expire(self, connection: Connection) -> None:
        seconds = f"{connection.deadline - connection.begun:g} seconds"
        if connection.sending:
            self._drop(connection, CloseReason.WRITE_TIMEOUT)
        elif connection.request.started and not connection.lingering:
            reason = CloseReason.READ_TIMEOUT if connection.request.head_complete else CloseReason.HEAD_TIMEOUT
            self._refuse(connection, reason, RequestTimeout(f"the request did not arrive within {seconds}: try again"))
        else:
            self._selector.unregister(connection.socket)
            self._close(connection)

    def _evict(self, connection: Connection) -> None:
        self._drop(connection, CloseReason.ROOM)

    def _refuse_slow(self, connection: Connection) -> None:
        error = Overloaded("the request came slowly while others needed the memory: try again in a moment")
        self._refuse(connection, CloseReason.ROOM, error)

    def _refuse(self, connection: Connection, reason: CloseReason, error: RequestError) -> None:
        self._on_close(reason)
        self._selector.unregister(connection.socket)
        connection.request.fail(error)
        self._enqueue(connection)

    def _drop(self, connection: Connection, reason: CloseReason) -> None:
        self._on_close(reason)
        self._selector.unregister(connection.socket)
        self._close(connection, reset=connection.sending)

    def _close(self, connection: Connection, reset: bool = False) -> None:
        """Close a connection that is not registered with the selector."""
        connection.close(reset)
        self._connections.discard(connection)
        self._on_count(len(self._connections))


def _is_over(deferred: Deferred) -> bool:
    try:
        return deferred.is_over()
    except Exception:  # the application raises it again when it is called, and responds with an error
        logger.exception("cannot tell whether a deferred request can go on")
        return True
