"""Who notices that a process hangs or is gone: the master by its workers' heartbeats, a worker by the kernel."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable

from service.ipc.scoreboard import Scoreboard

LONGEST_PAUSE = 10.0  # seconds between two calls of `attend`: then the master was stopped, and its workers perhaps, too
PR_SET_PDEATHSIG = 1  # prctl(2)


class Watchdog:
    """The master's look at heartbeats, from a worker's fork on."""

    def __init__(self, scoreboard: Scoreboard, clock: Callable[[], float] = time.monotonic) -> None:
        self._scoreboard = scoreboard
        self._clock = clock
        self._looked_at = self._looks_since = clock()

    def attend(self) -> None:
        """Note that the master looks at its workers now."""
        now = self._clock()
        if now > self._looked_at + LONGEST_PAUSE:
            self._looks_since = now
        self._looked_at = now

    def silence(self, slot: int) -> float:
        """Seconds without a heartbeat of a worker, but for those in which nobody looked."""
        return self._clock() - max(self._scoreboard.last_beat(slot), self._looks_since)


def end_with_master(master: int) -> None:
    """Have the kernel send this worker SIGTERM when its master ends, even while it hangs; on Linux alone."""
    if sys.platform == "linux":
        signal_at_end_of_parent(signal.SIGTERM)
        if os.getppid() != master:  # it has ended already
            os.kill(os.getpid(), signal.SIGTERM)


def signal_at_end_of_parent(number: int) -> None:
    """Have the kernel send this process a signal when the thread that started it ends (prctl(2)); on Linux alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
