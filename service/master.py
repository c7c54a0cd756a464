"""gunicorn's master process with two changes: it announces its end, and a reload waits for the new workers.

As gunicorn has it, workers learn of the end when they are to stop at once, and the old workers of a reload are told to
leave before the new ones have loaded their models.
"""

import os
import signal
import time
from types import FrameType
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from service.scoreboard import Scoreboard

POLL = 0.05  # seconds between looks at the new workers of a reload
PATIENCE = 600  # seconds that these get to load their models: many or large ones take minutes


class Master(Arbiter):  # type: ignore[misc]  # gunicorn ships no type information
    """One a service; the scoreboard tells its workers what they cannot see for themselves."""

    def __init__(self, application: Any, scoreboard: Scoreboard, drain_delay: float) -> None:
        super().__init__(application)
        self._scoreboard = scoreboard
        self._drain_delay = drain_delay
        self._reloading = False

    def signal(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal for the main loop; an end is announced at once, for the loop may be busy with a reload."""
        if sig == signal.SIGTERM and os.getpid() == self.pid:  # a worker just forked has this handler, too
            self._announce_end()
        super().signal(sig, frame)

    def stop(self, graceful: bool = True) -> None:
        """Tell the workers to end, with those they serve or at once, and wait for them."""
        if graceful:
            self._announce_end()
        super().stop(graceful)

    def reload(self) -> None:
        """Replace all workers: the old ones are told to leave once a new one serves and none is starting any more.

        Where no new one comes to serve, the old ones stay. The settings remain those of the start.
        """
        old, self.num_workers = set(self.WORKERS), self.cfg.workers
        self._reloading = True
        try:
            for _ in range(self.num_workers):
                self.spawn_worker()
            succeeded = self._await_new(old)
        finally:
            self._reloading = False
        for pid in old & self.WORKERS.keys() if succeeded else ():
            self.kill_worker(pid, signal.SIGTERM)

    def reap_workers(self) -> None:
        """Take note of dead workers; during a reload, one that could not start is no reason to end the service."""
        known = dict(self.WORKERS)
        try:
            super().reap_workers()
        except HaltServer as failure:
            for pid in known.keys() - self.WORKERS.keys():
                self.cfg.child_exit(self, known[pid])  # which gunicorn leaves out here
            if not self._reloading:
                raise
            self.log.error("reload: %s", failure.reason)  # noqa: TRY400  # the worker has logged its traceback

    def _await_new(self, old: set[int]) -> bool:
        """Wait until no worker is starting, and kill what still starts after PATIENCE; whether a new one serves."""
        until = time.monotonic() + PATIENCE
        while (starting := self._starting()) and not self._scoreboard.is_ending():
            for pid in starting if time.monotonic() > until else ():
                self.kill_worker(pid, signal.SIGKILL)
            self.murder_workers()
            self.reap_workers()
            time.sleep(POLL)
        if not self._scoreboard.is_ending() and old.issuperset(self._scoreboard.workers().values()):
            self.log.error("reload: no new worker can serve, so the old ones stay")
            return False
        return True

    def _starting(self) -> list[int]:
        starting = self._scoreboard.starting()
        return [pid for pid, worker in self.WORKERS.items() if worker.slot in starting]

    def _announce_end(self) -> None:
        """Say when to stop listening, and whether the socket is not ours alone: systemd's, or before and after USR2."""
        shared = self.systemd or bool(self.reexec_pid or self.master_pid)
        self._scoreboard.announce_end(time.monotonic() + self._drain_delay, shared)
