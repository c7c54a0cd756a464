"""The gunicorn worker: one thread, one event loop, whole requests only.

Bytes are collected without blocking; the application is called in the loop itself once a request is complete. So a
client that sends slowly, or nothing at all, holds nobody up, and no request is handed from thread to thread.
"""

import os
import selectors
import time
from functools import partial
from typing import TYPE_CHECKING

from gunicorn.workers.base import Worker

from service.ipc.scoreboard import Scoreboard
from service.server.connections import ConnectionManager
from service.server.listener import FairListener
from service.server.syn_filter import refuse_handshakes, stop_listening
from service.server.wsgi import WsgiGateway
from service.settings import Settings

if TYPE_CHECKING:  # it brings ONNX Runtime with it, which the master must not have
    from service.inference.shadow import Shadows
    from service.lifecycle.reloader import ModelReloader

HEARTBEAT_INTERVAL = 1.0  # seconds between looks at the clock: deadlines, the master's watchdog, the parent
POLL_EVERY = 0.005  # seconds of answering after which new arrivals are looked for
DRAIN_POLL = 0.05  # seconds between looks at whether a shutdown is complete
HANDSHAKE_SECONDS = 0.2  # for handshakes under way: a round trip to the other side of the earth


class LoopWorker(Worker):  # type: ignore[misc]  # gunicorn ships no type information
    """Serves `self.wsgi`, which gunicorn loads from the application. The server sets the attributes before the fork."""

    settings: Settings
    scoreboard: Scoreboard
    slot: int

    def run(self) -> None:
        """Answer until told to stop, then until nobody waits."""
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.PIPE[0], selectors.EVENT_READ, lambda pipe: os.read(pipe, 4096))
        self._next_tick = 0.0
        gateway = WsgiGateway(
            self.wsgi, self.cfg, self.settings.host, self.settings.port, self.scoreboard.is_shutting_down
        )
        on_count = partial(self.scoreboard.set_connections, self.slot)
        self._clients = ConnectionManager(self._selector, self.settings, gateway, on_count)
        self._listener = FairListener(self.sockets, self._selector, self.scoreboard, self.slot, self._clients)
        self.scoreboard.enter(self.slot, os.getpid())
        follower: ModelReloader = self.wsgi.extensions["follower"]
        self._selector.register(follower.start(), selectors.EVENT_READ, follower.swap)
        shadows: Shadows = self.wsgi.extensions["shadows"]
        while self._stays():
            self._listener.listen()
            patience = min(self._listener.patience, self._clients.patience, shadows.patience)
            if not self._turn(min(HEARTBEAT_INTERVAL, patience, self.scoreboard.seconds_left())):
                shadows.compare_next()
        if self.scoreboard.is_shutting_down() and not self.scoreboard.shared:
            self._close_doors()
        self._listener.pause()
        self.scoreboard.leave(self.slot)
        self._drain()
        follower.end()

    def _stays(self) -> bool:
        """Whether this worker goes on accepting: at the end as long as all do, else until it is told to leave."""
        return self.scoreboard.seconds_left() > 0 if self.scoreboard.is_shutting_down() else self.alive

    def _turn(self, patience: float) -> bool:
        """One turn of the loop; what happens ends the wait of at most `patience` seconds. False: nothing did."""
        self._tick()
        busy = self._poll(patience)
        self._clients.resume()
        next_poll = time.monotonic() + POLL_EVERY
        while self._clients.answer_next():
            busy = True
            if time.monotonic() >= next_poll:
                self._look_around()
                next_poll = time.monotonic() + POLL_EVERY
        return busy

    def _look_around(self) -> None:
        """What a worker that is never idle must not forget: the clock, its listener, and new arrivals."""
        self._tick()
        if self._stays():
            self._listener.listen()
        else:
            self._listener.pause()  # else there would be no end under load
        self._poll(0)

    def _poll(self, patience: float) -> bool:
        events = self._selector.select(patience)
        for key, _ in events:
            key.data(key.fileobj)
        return bool(events)

    def _tick(self) -> None:
        if time.monotonic() < self._next_tick:
            return
        self._next_tick = time.monotonic() + HEARTBEAT_INTERVAL
        self.notify()
        self._clients.expire()
        if os.getppid() != self.ppid:
            self.log.warning("the master is gone; this worker follows it")
            self.alive = False

    def _close_doors(self) -> None:
        """Stop listening without a reset for anybody whom the kernel has told that he is connected."""
        refuse_handshakes(self.sockets)
        until = time.monotonic() + HANDSHAKE_SECONDS
        while time.monotonic() < until:
            self._listener.listen()
            self._turn(min(DRAIN_POLL, self._listener.patience))
        self._listener.pause()
        while not self._listener.take_all():
            self._turn(DRAIN_POLL)
        stop_listening(self.sockets)

    def _drain(self) -> None:
        """Finish the requests under way, and for a while answer those that idle clients may be sending just now."""
        self._clients.leaving = True
        until = time.monotonic() + self.settings.drain_timeout
        self._turn(0)  # whoever was accepted last has perhaps not been read yet
        while self._is_needed(until):
            self._turn(DRAIN_POLL)
        self._clients.close()

    def _is_needed(self, until: float) -> bool:
        """Whether a request is under way or may still come; it looks anew, so that nobody is closed who has spoken."""
        self._poll(0)
        return self._clients.busy or (len(self._clients) > 0 and time.monotonic() < until)
