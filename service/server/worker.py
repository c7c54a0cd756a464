"""The gunicorn worker: one thread, one event loop, whole requests only.

Bytes are read without blocking; the application is called in the loop itself once a request is complete. So a client
that sends slowly, or nothing at all, delays no other client, and no request is handed from thread to thread.
"""

import gc
import os
import resource
import selectors
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from gunicorn.workers.base import Worker

from service.ipc.workspace import WorkerContext
from service.memory import release_memory, resident_bytes
from service.server.background import ServedApp
from service.server.connection import Connection
from service.server.connections import ConnectionManager
from service.server.listener import FairListener
from service.server.syn_filter import drop_handshakes, stop_listening
from service.server.wsgi import WsgiGateway
from service.settings import Settings

HEARTBEAT_INTERVAL = 1.0  # seconds between looks at the clock: the master's watchdog, the parent
POLL_INTERVAL = 0.005  # seconds of answering after which new arrivals are looked for
MANY_EVENTS = 16  # for which there may be no time
DEAR = 0.001  # seconds; an event that takes longer comes last while there is more to do than time
RESERVED_DESCRIPTORS = 24  # for files that the application opens, and its pipes
RELEASED_BYTES = 4 << 20  # a difference of memory that is worth some milliseconds to give it back to the system
DRAIN_INTERVAL = 0.05  # seconds between looks at whether a shutdown is complete
HANDSHAKE_SECONDS = 0.2  # for handshakes under way, and first bytes: a round trip to the other side of the earth


class LoopWorker(Worker):  # type: ignore[misc]  # gunicorn ships no type information
    """Serves one application in one thread. `GunicornApplication` sets the attributes before the fork."""

    alive: bool  # False once it is told to leave
    settings: Settings
    context: WorkerContext
    load_app: Callable[[WorkerContext], ServedApp]

    def load_wsgi(self) -> None:
        """Build the application; gunicorn calls this after the fork, before `run`."""
        for number in (signal.SIGTERM, signal.SIGINT):  # there is no request to finish yet, and loading may hang
            signal.signal(number, signal.SIG_DFL)
        if not self.alive:  # told to leave just before
            os.kill(os.getpid(), signal.SIGTERM)
        self.context.scoreboard.beat(self.context.slot)
        self._served = self.load_app(self.context)
        signal.signal(signal.SIGINT, self.handle_quit)
        signal.signal(signal.SIGTERM, self.handle_exit)
        signal.siginterrupt(signal.SIGTERM, False)
        gc.freeze()  # what stays for good: else every request with many lists walks through all of it

    def run(self) -> None:
        """Serve until told to stop, then until no request is under way."""
        self._open()
        while self._stays():
            self._listener.listen()
            timeout = min(self._listener.timeout, self._idle_timeout())
            if not self._turn(min(HEARTBEAT_INTERVAL, timeout, self._scoreboard.seconds_left())):
                for task in self._served.idle_tasks:
                    task.run_idle()
        if os.getppid() != self.ppid:  # the next service may want to listen
            self._scoreboard.announce_shutdown(time.monotonic(), self._scoreboard.shared)
        if self._scoreboard.is_shutting_down() and not self._scoreboard.shared:
            self._stop_listening()
        self._listener.pause()
        self._scoreboard.leave(self.context.slot)
        self._drain()
        for source in self._served.event_sources:
            source.stop()

    def _open(self) -> None:
        """Take a place on the scoreboard, and watch the listening sockets and the application's event sources."""
        self._scoreboard, slot = self.context.scoreboard, self.context.slot
        self._next_heartbeat = 0.0
        self._resident_at_release, self._most_held = resident_bytes(), 0  # bytes, the second by clients since then
        self._handled: set[int] = set()  # descriptors whose events were handled while there was no time for all
        self._dear: dict[int, float] = {}  # seconds that dear events have taken since the last heartbeat, by descriptor
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.PIPE[0], selectors.EVENT_READ, lambda: os.read(self.PIPE[0], 4096))
        gateway = WsgiGateway(
            self._served.wsgi, self.cfg, self.settings.host, self.settings.port, self._scoreboard.is_shutting_down
        )
        on_count, on_close = (
            partial(self._scoreboard.set_connections, slot),
            partial(self._scoreboard.count_closed, slot),
        )
        settings = replace(self.settings, max_connections=self._max_connections())
        self._connections = ConnectionManager(self._selector, settings, gateway, on_count, on_close)
        self._listener = FairListener(self.sockets, self._selector, self._scoreboard, slot, self._connections)
        self._scoreboard.enter(slot, os.getpid())
        for source in self._served.event_sources:
            self._selector.register(source.start(), selectors.EVENT_READ, source.on_readable)

    def _max_connections(self) -> int:
        """As the setting says, but no more than leave some file descriptors to the application."""
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        wanted = self.settings.max_connections
        if limit == resource.RLIM_INFINITY:
            return wanted
        free = limit - sum(1 for _ in Path("/dev/fd").iterdir()) - RESERVED_DESCRIPTORS
        if free < wanted // 4:
            sentence = f"they leave room for {max(1, free)} connections, not {wanted}: raise the limit of open files"
            self.context.warnings.add("file descriptors", sentence)
        return max(1, min(free, wanted))

    def _idle_timeout(self) -> float:
        return min((task.idle_timeout for task in self._served.idle_tasks), default=float("inf"))

    def _stays(self) -> bool:
        """Whether this worker goes on accepting: at a shutdown as long as all do, else until it is told to leave."""
        return self._scoreboard.seconds_left() > 0 if self._scoreboard.is_shutting_down() else self.alive

    def _turn(self, timeout: float) -> bool:
        """One turn of the loop, which waits at most `timeout` seconds for an event; False where nothing happened.

        It takes little longer than two POLL_INTERVALs, or than the slowest request, whatever arrives: so all that `run`
        looks after has its turn under any load.
        """
        self._beat()
        self._connections.expire()
        busy = self._poll(min(timeout, self._connections.timeout))
        self._connections.resume_deferred()
        until = time.monotonic() + POLL_INTERVAL
        while self._connections.respond_next():
            busy = True
            if time.monotonic() >= until:
                self._poll(0)
                break
        return busy

    def _poll(self, timeout: float) -> bool:
        """Handle events for some milliseconds; what is left comes again, the descriptors that took most time last."""
        events = self._selector.select(timeout)
        if self._handled:
            self._sort(events)
        before = time.monotonic()
        until = before + 2 * POLL_INTERVAL
        for key, _ in events:
            key.data()
            now = time.monotonic()
            if now - before > DEAR:
                self._dear[key.fd] = self._dear.get(key.fd, 0.0) + now - before
            if now >= until:
                self._handled.add(key.fd)
                break
            before = now
            if len(events) > MANY_EVENTS:
                self._handled.add(key.fd)
        else:
            self._handled.clear()
        return bool(events)

    def _sort(self, events: list[tuple[selectors.SelectorKey, int]]) -> None:
        """Of more events than there was time for, first those of addresses with few, then those not handled yet."""
        addresses = Counter(_address(key) for key, _ in events)
        events.sort(
            key=lambda event: (
                addresses[_address(event[0])],
                event[0].fd in self._handled,
                self._dear.get(event[0].fd, 0.0),
            )
        )

    def _beat(self) -> None:
        if time.monotonic() < self._next_heartbeat:
            return
        self._next_heartbeat = time.monotonic() + HEARTBEAT_INTERVAL
        self.context.beat()
        self._dear.clear()
        self._release_memory()
        if os.getppid() != self.ppid:
            self.log.warning("the master is gone: this worker stops, too")
            self.alive = False

    def _release_memory(self) -> None:
        """Give memory back to the system where this process has grown, or its clients hold much less than they did."""
        held = self._connections.held
        self._most_held = max(self._most_held, held)
        has_grown = resident_bytes() > self._resident_at_release + RELEASED_BYTES
        if has_grown or held < self._most_held - RELEASED_BYTES:
            release_memory()
            self._resident_at_release, self._most_held = resident_bytes(), held

    def _stop_listening(self) -> None:
        """Stop listening without a reset for clients that the kernel has already connected."""
        drop_handshakes(self.sockets)
        until = time.monotonic() + HANDSHAKE_SECONDS
        while time.monotonic() < until:
            self._listener.listen()
            self._turn(min(DRAIN_INTERVAL, self._listener.timeout))
        self._listener.pause()
        while not self._listener.accept_all():
            self._turn(DRAIN_INTERVAL)
        stop_listening(self.sockets)

    def _drain(self) -> None:
        """Finish the requests under way, and for a while serve those that idle clients may be sending just now."""
        self._connections.leaving = True
        until = time.monotonic() + max(HANDSHAKE_SECONDS, self.settings.drain_timeout)
        while self._is_needed(until):
            self._turn(DRAIN_INTERVAL)
        self._connections.close()

    def _is_needed(self, until: float) -> bool:
        """Whether a request is under way or may still come; polls first, so that bytes that have arrived count."""
        self._poll(0)
        return self._connections.busy or (len(self._connections) > 0 and time.monotonic() < until)


def _address(key: selectors.SelectorKey) -> str:
    """The address of the client that an event is of; empty for listening sockets and event sources."""
    subject = key.data.args[0] if isinstance(key.data, partial) and key.data.args else None
    return subject.address[0] if isinstance(subject, Connection) else ""
