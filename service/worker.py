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

from service.clients import Clients
from service.gateway import Gateway
from service.listener import FairListener
from service.scoreboard import Scoreboard
from service.settings import Settings

if TYPE_CHECKING:  # it brings ONNX Runtime with it, which the master must not have
    from service.follower import Follower
    from service.shadows import Shadows

TICK = 1.0  # seconds between looks at the clock: deadlines, the master's watchdog, the parent
POLL_EVERY = 0.005  # seconds of answering after which new arrivals are looked for
DRAIN_POLL = 0.05  # seconds between looks at whether a shutdown is complete


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
        gateway = Gateway(self.wsgi, self.cfg, self.settings.host, self.settings.port)
        on_count = partial(self.scoreboard.set_connections, self.slot)
        self._clients = Clients(self._selector, self.settings, gateway, on_count)
        self._listener = FairListener(self.sockets, self._selector, self.scoreboard, self.slot, self._clients)
        follower: Follower = self.wsgi.extensions["follower"]
        self._selector.register(follower.start(), selectors.EVENT_READ, follower.swap)
        self.scoreboard.enter(self.slot, os.getpid())
        shadows: Shadows = self.wsgi.extensions["shadows"]
        while self.alive:
            self._listener.listen()
            if not self._turn(min(TICK, self._listener.patience, self._clients.patience, shadows.patience)):
                shadows.compare_next()
        self._listener.pause()
        self.scoreboard.leave(self.slot)
        self._drain()

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
        if self.alive:
            self._listener.listen()
        self._poll(0)

    def _poll(self, patience: float) -> bool:
        events = self._selector.select(patience)
        for key, _ in events:
            key.data(key.fileobj)
        return bool(events)

    def _tick(self) -> None:
        if time.monotonic() < self._next_tick:
            return
        self._next_tick = time.monotonic() + TICK
        self.notify()
        self._clients.expire()
        if os.getppid() != self.ppid:
            self.log.warning("the master is gone; this worker follows it")
            self.alive = False

    def _drain(self) -> None:
        """Finish the requests under way, and for a while answer those that idle clients may be sending just now."""
        self._clients.draining = True
        until = time.monotonic() + self.settings.drain_timeout
        self._turn(0)  # whoever was accepted last has perhaps not been read yet
        while self._clients.busy or (len(self._clients) and time.monotonic() < until):
            self._turn(DRAIN_POLL)
        self._clients.close()
