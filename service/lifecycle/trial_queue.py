"""The queue of trials: a few forks run at a time, and what has run least goes first.

Nobody knows which bundles are bad, so a good one must not wait behind those that never end. A trial's turn is as long
as all its turns before; then it is paused while others wait. Paused ones keep their memory as long as there is little
of it, else the largest is killed and starts again at its next turn.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from service.lifecycle.trial_fork import TrialFork, TrialResult
from service.lifecycle.trial_journal import WantedTrial

LANES = 2  # forks that run at the same time: a long one leaves a place for a short one
QUANTUM = 0.03  # seconds of the first turn; most bundles need no other
NICE_AFTER = 1.0  # seconds of running after which a fork gives way to other processes
PAUSED_BYTES = 128 << 20  # that all paused forks together may keep

Fork = Callable[[WantedTrial], TrialFork]


@dataclass(eq=False)
class Trial:
    """One trial: its fork where it has begun, and what it has used."""

    wanted: WantedTrial
    fork: TrialFork | None = None
    is_running: bool = False
    used_before: float = 0.0  # by forks that were killed
    turn_end: float = 0.0
    is_nice: bool = False
    paused_bytes: int = 0

    @property
    def used(self) -> float:
        """Seconds that count for its turns."""
        return self.used_before + (self.fork.used if self.fork else 0.0)


class TrialQueue:
    """All trials that are wanted and not over, in the order in which they are wanted."""

    def __init__(self, fork: Fork, timeout: float) -> None:
        """`timeout` is the seconds that one fork may run."""
        self._fork = fork
        self._timeout = timeout
        self.trials: dict[WantedTrial, Trial] = {}

    def want(self, wanted: Iterable[WantedTrial]) -> None:
        """Try these from now on, and no others."""
        before, self.trials = self.trials, {}
        for each in wanted:
            trial = before.pop(each) if each in before else Trial(each)
            trial.wanted = each  # it may be urgent now
            self.trials[each] = trial
        _kill(before.values())

    def pipes(self) -> list[int]:
        """Descriptors of which one is readable when a fork is over."""
        return [fork.pipe for _, fork in self._running()]

    def advance(self) -> dict[WantedTrial, TrialResult]:
        """Look after the forks, and begin or continue those whose turn it is; returns what is over now."""
        over = {}
        for trial, fork in self._running():
            if result := self._result(trial, fork):
                over[trial.wanted] = result
                del self.trials[trial.wanted]
        self._end_turns()
        self._begin_turns()
        self._bound_memory()
        return over

    def _result(self, trial: Trial, fork: TrialFork) -> TrialResult | None:
        result = fork.poll()
        if result is None and (fork.seconds > self._timeout or trial.used > 3 * self._timeout):
            fork.kill()
            fork.reap()
            reason = f"loading and verifying it took longer than {self._timeout:g} seconds: its graph may never end"
            result = TrialResult(reason, "timeout")
        if result is None and not trial.is_nice and trial.used > NICE_AFTER:
            trial.is_nice = True
            fork.slow_down()
        return result

    def _end_turns(self) -> None:
        """Pause what has had its turn, and what has run far longer than the first in the queue."""
        for trial, fork in self._running():
            waiting = self._waiting()
            if waiting and (trial.used >= trial.turn_end or 4 * (waiting[0].used + QUANTUM) < trial.used):
                fork.pause()
                trial.is_running, trial.paused_bytes = False, fork.private_bytes

    def _begin_turns(self) -> None:
        for trial in self._waiting()[: LANES - len(self._running())]:
            trial.turn_end = trial.used + max(QUANTUM, trial.used)
            if trial.fork:
                trial.fork.resume()
            else:
                try:
                    trial.fork = self._fork(trial.wanted)
                except OSError:  # there is no room for another process now
                    return
                trial.is_nice = False
            trial.is_running = True

    def _bound_memory(self) -> None:
        paused = [trial for trial in self._waiting() if trial.fork]
        paused.sort(key=lambda trial: trial.paused_bytes)
        while sum(trial.paused_bytes for trial in paused) > PAUSED_BYTES:
            trial = paused.pop()
            trial.used_before = trial.used
            _kill([trial])

    def _running(self) -> list[tuple[Trial, TrialFork]]:
        return [(trial, trial.fork) for trial in self.trials.values() if trial.is_running and trial.fork]

    def _waiting(self) -> list[Trial]:
        """The trials that do not run, that of the next turn first."""
        trials = [trial for trial in self.trials.values() if not trial.is_running]
        return sorted(trials, key=lambda trial: (max(trial.used, QUANTUM), not trial.wanted.urgent))


def _kill(trials: Collection[Trial]) -> None:
    """End the forks of these trials, all at once."""
    forks = [trial.fork for trial in trials if trial.fork]
    for fork in forks:
        fork.kill()
    for fork in forks:
        fork.reap()
    for trial in trials:
        trial.fork, trial.is_running = None, False
