"""The gunicorn worker: one thread, one event loop, whole requests only.

Bytes are collected without blocking; the application is called in the loop itself once a request is complete. So a
client that sends slowly, or nothing at all, holds nobody up, and no request is handed from thread to thread.
"""

import os
import selectors
import socket
import time
from collections import deque
from contextlib import closing, suppress
from typing import Any

from gunicorn.http.wsgi import Response, base_environ
from gunicorn.workers.base import Worker

from service.connection import Connection
from service.errors import Overloaded, RequestError, RequestTimeout
from service.incoming import BodyBudget
from service.scoreboard import Scoreboard
from service.settings import Settings

TICK = 1.0  # seconds between looks at the clock: deadlines, the master's watchdog, the parent
YIELD = 0.002  # seconds that a worker leaves a new connection to those that hold fewer
DRAIN_POLL = 0.05  # seconds between looks at whether a shutdown is complete
LINGER = 2.0  # seconds that a client gets to read a refusal before its connection is closed
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
POLL_EVERY = 0.005  # seconds of answering after which new arrivals are looked for


class LoopWorker(Worker):  # type: ignore[misc]  # gunicorn ships no type information
    """Serves `self.wsgi`, which gunicorn loads from the application."""

    settings: Settings
    scoreboard: Scoreboard
    slot: int

    def init_process(self) -> None:
        """Build the loop's state, then let gunicorn load the application and call `run`."""
        self._selector = selectors.DefaultSelector()
        self._connections: set[Connection] = set()
        self._ready: deque[tuple[Connection, float]] = deque()
        self._budget = BodyBudget(self.settings.max_body_bytes, self.settings.max_buffered_bytes)
        self._listening = False
        self._listen_again = 0.0
        self._yielded = False
        self._next_tick = 0.0
        self._drain_until = float("inf")
        super().init_process()

    def run(self) -> None:
        """Answer until told to stop, then until nobody waits."""
        self._environ = base_environ(self.cfg)
        for listener in self.sockets:
            listener.setblocking(False)
        self._selector.register(self.PIPE[0], selectors.EVENT_READ, self._on_signal)
        while self.alive or self._must_drain():
            self._tick()
            self._set_listening(self.alive and time.monotonic() >= self._listen_again)
            self._poll(self._patience())
            self._answer_ready()
        for connection in list(self._connections):
            self._close(connection)

    def _patience(self) -> float:
        """How long the loop may sleep when nothing happens; signals and sockets wake it anyway."""
        if not self.alive:
            return DRAIN_POLL
        return TICK if self._listening else YIELD

    # The listener

    def _set_listening(self, wanted: bool) -> None:
        if wanted == self._listening:
            return
        for listener in self.sockets:
            if wanted:
                self._selector.register(listener, selectors.EVENT_READ, self._on_listener)
            else:
                self._selector.unregister(listener)
        self._listening = wanted

    def _on_listener(self, listener: Any) -> None:
        """Accept one connection, unless a worker that holds fewer can have it."""
        if not self._yielded and self.scoreboard.should_yield(self.slot):
            self._yielded = True
            self._listen_again = time.monotonic() + YIELD
            self._set_listening(False)
            return
        self._yielded = False
        if len(self._connections) >= self.settings.max_connections:
            self._make_room()
        with suppress(OSError):  # another worker was faster, or the client gave up
            self._open(*listener.accept())

    def _open(self, client: socket.socket, address: tuple[str, int]) -> None:
        connection = Connection(client, address, self._budget, time.monotonic() + self.settings.idle_timeout)
        self._connections.add(connection)
        self.scoreboard.set_connections(self.slot, len(self._connections))
        self._selector.register(client, selectors.EVENT_READ, connection)

    def _make_room(self) -> None:
        """Close the connection that has been idle for longest."""
        idle = [connection for connection in self._connections if connection.idle]
        if idle:
            self._close(min(idle, key=lambda connection: connection.deadline))

    # Connections

    def _poll(self, timeout: float) -> None:
        for key, events in self._selector.select(timeout):
            if not isinstance(key.data, Connection):
                key.data(key.fileobj)
            elif events & selectors.EVENT_WRITE:
                self._on_writable(key.data)
            else:
                self._on_readable(key.data)

    def _on_readable(self, connection: Connection) -> None:
        started = connection.incoming.started
        if not connection.receive():
            self._close(connection)
        elif not connection.lingering:
            self._advance(connection, started)

    def _advance(self, connection: Connection, started: bool) -> None:
        """Queue the request if it is complete, else set how long the rest may take."""
        incoming = connection.incoming
        if incoming.complete or incoming.refusal:
            self._enqueue(connection)
            return
        if incoming.started and not started:
            connection.deadline = time.monotonic() + self.settings.read_timeout
        if incoming.wants_continue():
            connection.sendall(CONTINUE)
            connection.flush()

    def _enqueue(self, connection: Connection) -> None:
        """Let the request wait for its turn, or refuse it at once where too many wait already."""
        self._selector.unregister(connection.socket)
        if len(self._ready) >= self.settings.max_queue and connection.incoming.refusal is None:
            waiting = f"{len(self._ready)} requests are waiting already"
            self._answer(connection, 0.0, Overloaded(f"{waiting}: try again in a moment"))
        else:
            self._ready.append((connection, time.monotonic()))

    def _on_writable(self, connection: Connection) -> None:
        connection.deadline = time.monotonic() + self.settings.read_timeout
        self._selector.unregister(connection.socket)
        self._flush_answer(connection)

    # Answers

    def _answer_ready(self) -> None:
        """Answer all that wait, looking for new arrivals now and then so that none waits unseen."""
        next_poll = time.monotonic() + POLL_EVERY
        while self._ready:
            connection, since = self._ready.popleft()
            self._answer(connection, time.monotonic() - since)
            if time.monotonic() >= next_poll:
                self._tick()
                self._poll(0)
                next_poll = time.monotonic() + POLL_EVERY

    def _answer(self, connection: Connection, waited: float, refusal: RequestError | None = None) -> None:
        """Call the application and send what it says."""
        response = Response(connection.incoming, connection, self.cfg)
        if not self.alive:
            response.force_close()
        try:
            self._call_application(connection, response, waited, refusal or connection.incoming.refusal)
        except Exception:
            self.log.exception("the application failed outside its own error handling")
            self._close_unregistered(connection)
            return
        connection.closing = response.should_close()
        self._flush_answer(connection)

    def _call_application(
        self, connection: Connection, response: Response, waited: float, refusal: RequestError | None
    ) -> None:
        environ = {
            **self._environ,
            **connection.incoming.environ(),
            "wsgi.url_scheme": "http",
            "SERVER_NAME": self.settings.host,
            "SERVER_PORT": str(self.settings.port),
            "REMOTE_ADDR": connection.address[0],
            "convserve.queue_seconds": waited,
            "convserve.refusal": refusal,
            "convserve.draining": not self.alive,
        }
        with closing(self.wsgi(environ, response.start_response)) as body:
            for part in body:
                response.write(part)
            response.close()

    def _flush_answer(self, connection: Connection) -> None:
        """Send, and when all is sent, go on as the answer demands."""
        if not connection.flush():
            self._close_unregistered(connection)
        elif connection.sending:
            self._selector.register(connection.socket, selectors.EVENT_WRITE, connection)
        elif connection.closing:
            self._end(connection)
        else:
            self._await_next(connection)

    def _await_next(self, connection: Connection) -> None:
        connection.deadline = time.monotonic() + self.settings.idle_timeout
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.incoming.next()
        if connection.incoming.started:
            self._advance(connection, started=False)

    def _end(self, connection: Connection) -> None:
        """Close after an answer, gently where the client may still be sending."""
        if connection.incoming.refusal is None:
            self._close_unregistered(connection)
            return
        with suppress(OSError):
            connection.linger()
        connection.deadline = time.monotonic() + LINGER
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    # Ends

    def _close(self, connection: Connection) -> None:
        with suppress(KeyError):
            self._selector.unregister(connection.socket)
        self._close_unregistered(connection)

    def _close_unregistered(self, connection: Connection) -> None:
        connection.close()
        self._connections.discard(connection)
        self.scoreboard.set_connections(self.slot, len(self._connections))

    def _on_signal(self, pipe: int) -> None:
        os.read(pipe, 4096)

    def _tick(self) -> None:
        now = time.monotonic()
        if now < self._next_tick:
            return
        self._next_tick = now + TICK
        self.notify()
        if os.getppid() != self.ppid:
            self.log.warning("the master is gone; this worker follows it")
            self.alive = False
        for connection in [each for each in self._connections if each.deadline <= now]:
            self._expire(connection)

    def _expire(self, connection: Connection) -> None:
        """End a connection whose time is up; one that has sent a part of a request is told why."""
        late = connection.incoming.started and not connection.sending and not connection.lingering
        if not late:
            self._close(connection)
            return
        connection.incoming.refusal = RequestTimeout(
            f"the request did not arrive within {self.settings.read_timeout:g} seconds: send it again, faster"
        )
        self._selector.unregister(connection.socket)
        self._answer(connection, 0.0)

    def _must_drain(self) -> bool:
        """Whether the shutdown has to wait: for requests under way, and a while for clients that may send one."""
        if self._drain_until == float("inf"):
            self._drain_until = time.monotonic() + self.settings.drain_timeout
        busy = any(not connection.idle for connection in self._connections)
        return busy or (bool(self._connections) and time.monotonic() < self._drain_until)
