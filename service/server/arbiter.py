"""gunicorn's master process, with a shutdown that is announced, a reload that waits, and counted worker exits.

gunicorn's own arbiter tells its workers of a shutdown only when they have to stop at once, tells the old workers of a
reload to leave before the new ones have loaded their models, and writes to the log alone how a worker exited.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from service.ipc.scoreboard import ExitCause, Scoreboard

POLL_INTERVAL = 0.05  # seconds between looks at the new workers of a reload
RELOAD_TIMEOUT = 600  # seconds that these get to load their models: many or large ones take minutes


class DrainingArbiter(Arbiter):  # type: ignore[misc]  # gunicorn ships no type information
    """One a service. Workers learn from the scoreboard what they cannot see for themselves."""

    reexec_pid: int  # of the master that SIGUSR2 has started, or 0

    def __init__(self, application: Any, scoreboard: Scoreboard, drain_delay: float) -> None:
        super().__init__(application)
        self._scoreboard = scoreboard
        self._drain_delay = drain_delay
        self._reloading = False

    def signal(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal for the main loop; a shutdown is announced at once, for the loop may be busy with a reload."""
        if sig == signal.SIGTERM and os.getpid() == self.pid:  # a worker just forked has this handler, too
            self._announce_shutdown()
        super().signal(sig, frame)

    def stop(self, graceful: bool = True) -> None:
        """Tell the workers to stop, after the requests under way or at once, and wait for them."""
        if graceful:
            self._announce_shutdown()
        super().stop(graceful)

    def reload(self) -> None:
        """Replace all workers: the old ones are told to leave once a new one serves and none is starting any more.

        Where no new worker can serve, the old ones stay. The settings remain those of the start.
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
        """Collect the exit status of all children that have exited; gunicorn's own method keeps none."""
        for pid, status in _exited_children():
            if pid == self.reexec_pid:
                self.reexec_pid = 0
            elif worker := self.WORKERS.pop(pid, None):
                self._release(worker, os.waitstatus_to_exitcode(status))

    def _release(self, worker: Any, code: int) -> None:
        """Count an unexpected exit and free the worker's resources; raises HaltServer where no worker can start."""
        slot = worker.context.slot
        cause = exit_cause(code, worker.aborted, self._scoreboard.is_leaving(slot))
        if cause:
            self._scoreboard.count_exit(cause)
            self.log.error("worker %s exited unexpectedly: %s", worker.pid, describe_exit(code))
        worker.tmp.close()
        self.cfg.child_exit(self, worker)
        cannot_start = code in (self.WORKER_BOOT_ERROR, self.APP_LOAD_ERROR)
        if cannot_start and not self._reloading and not self._scoreboard.is_shutting_down():
            raise HaltServer("a worker cannot start", code)

    def _await_new(self, old: set[int]) -> bool:
        """Wait until no worker is starting, at most RELOAD_TIMEOUT; whether a new worker serves."""
        until = time.monotonic() + RELOAD_TIMEOUT
        while (starting := self._starting()) and not self._scoreboard.is_shutting_down():
            for pid in starting if time.monotonic() > until else ():
                self.WORKERS[pid].aborted = True
                self.kill_worker(pid, signal.SIGKILL)
            self.murder_workers()
            self.reap_workers()
            time.sleep(POLL_INTERVAL)
        if not self._scoreboard.is_shutting_down() and old.issuperset(self._scoreboard.workers().values()):
            self.log.error("reload: no new worker can serve, so the old ones stay")
            return False
        return True

    def _starting(self) -> list[int]:
        starting = self._scoreboard.starting()
        return [pid for pid, worker in self.WORKERS.items() if worker.context.slot in starting]

    def _announce_shutdown(self) -> None:
        """Say when to stop listening, and whether others share the socket: systemd, or the masters around USR2."""
        shared = self.systemd or bool(self.reexec_pid or self.master_pid)
        self._scoreboard.announce_shutdown(time.monotonic() + self._drain_delay, shared)


def exit_cause(code: int, timed_out: bool, leaving: bool) -> ExitCause | None:
    """The cause of a worker's exit, None where it had been told to stop.

    `code` is as of os.waitstatus_to_exitcode: an exit status, or a signal's number below zero. `timed_out` is whether
    the master has killed it for want of a heartbeat, `leaving` whether it had said on the scoreboard that it leaves.
    """
    if timed_out:
        return ExitCause.TIMEOUT
    if code < 0:  # SIGTERM kills only a worker that is starting; later it makes a worker leave
        return None if code == -signal.SIGTERM else ExitCause.SIGNAL
    return None if code == 0 and leaving else ExitCause.EXIT


def describe_exit(code: int) -> str:
    """A worker's exit in words, for the log; `code` as for `exit_cause`."""
    if code >= 0:
        return f"exit status {code}"
    hint = ", perhaps for want of memory" if code == -signal.SIGKILL else ""
    return f"signal {-code} ({signal.strsignal(-code)}){hint}"


def _exited_children() -> Iterator[tuple[int, int]]:
    """Process ids and wait statuses of the children that have exited; those of process 1 include orphans."""
    with suppress(ChildProcessError):  # there is no child at all
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            yield ended
