"""Failed starts of workers: each is logged and counted, and the next attempt waits longer, up to some seconds.

The workers that serve go on meanwhile. A service that has never served halts after a few attempts, so that a broken
installation is seen.
"""

import math
import time
from collections.abc import Callable
from typing import Any

from gunicorn.errors import HaltServer

from service.ipc.scoreboard import ExitCause, Scoreboard, StartFailure

FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0  # seconds until the next attempt, twice as long after each failure
MOST_BOOTS = 3  # failed ones in a row
LONGEST_WAIT = 10.0  # seconds that a service which has no worker yet waits for a process, memory or a file
BOOT_SECONDS = 5.0  # a worker that ends by itself within these has not begun to serve
EXIT_STATUS = 3  # as of gunicorn, for a worker that cannot boot


class StartFailures:
    """The starts of workers, and how many failed in a row since a worker last began to serve."""

    def __init__(self, scoreboard: Scoreboard, log: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._scoreboard = scoreboard
        self._log = log
        self._clock = clock
        self._forked_at: dict[int, float] = {}  # by slot
        self._starting: set[int] = set()  # slots of workers that did not serve at the last update
        self._has_served = False
        self._boots = 0  # that failed by themselves
        self._delay = FIRST_DELAY
        self._since, self._last = math.inf, -math.inf  # times of the first and the last failure
        self._next_attempt = -math.inf

    @property
    def seconds_left(self) -> float:
        """Seconds until the next attempt; 0 where it is due."""
        return max(0.0, self._next_attempt - self._clock())

    def begin(self, slot: int) -> None:
        """Note that there is a process for a worker."""
        self._forked_at[slot] = self._clock()
        self._starting.add(slot)

    def starting_for(self, slot: int) -> float:
        """Seconds since the fork of a worker that does not serve yet; 0 for one that does."""
        return self._clock() - self._forked_at[slot] if slot in self._starting else 0.0

    def update(self) -> None:
        """Note which workers serve by now."""
        serving = self._starting - self._scoreboard.starting()
        if serving:
            self._starting -= serving
            self._has_served = True
            self._forget()

    def add_fork(self, cause: StartFailure, reason: str, has_workers: bool) -> None:
        """Note that there is no process for a worker; raises HaltServer where there has been none at all for long."""
        self._add(cause, reason, self._clock())
        if not (self._has_served or has_workers) and self._clock() >= self._since + LONGEST_WAIT:
            raise HaltServer(f"no worker could be started for {LONGEST_WAIT:g} seconds: {reason}", EXIT_STATUS)

    def end(self, slot: int, cause: ExitCause | None, code: int, reason: str) -> None:
        """Note that a worker has ended, whose row is still its own; `code` is as of os.waitstatus_to_exitcode.

        Raises HaltServer where no worker has ever served, and attempts in a row ended by themselves.
        """
        forked_at = self._forked_at.pop(slot)
        is_young = cause is ExitCause.EXIT and self._clock() < forked_at + BOOT_SECONDS
        if cause and (is_young or slot in self._scoreboard.starting()):
            self._starting.discard(slot)
            self._boots += self._add(StartFailure.BOOT, reason, forked_at) and cause is ExitCause.EXIT
            if not self._has_served and self._boots >= MOST_BOOTS:
                raise HaltServer(f"a worker cannot start: {MOST_BOOTS} attempts failed, {reason}", code or EXIT_STATUS)
        self.update()
        self._starting.discard(slot)

    def _add(self, cause: StartFailure, reason: str, begun: float) -> bool:
        """Whether this attempt was made after the failure before: workers that start side by side fail side by side."""
        self._scoreboard.count_start_failure(cause)
        now = self._clock()
        is_next = begun >= self._last
        if is_next:
            self._last = now
            self._next_attempt = now + self._delay
            self._delay = min(2 * self._delay, LONGEST_DELAY)
        self._since = min(self._since, now)
        sentence = "a worker could not be started (%s): %s; the next attempt is in %.1f seconds"
        self._log.error(sentence, cause.value, reason, self.seconds_left)
        return is_next

    def _forget(self) -> None:
        self._scoreboard.end_start_failures()
        self._boots = 0
        self._delay = FIRST_DELAY
        self._since, self._last, self._next_attempt = math.inf, -math.inf, -math.inf
