"""Turns of trials: what has run least goes first, so that a good bundle does not wait for those that never end."""

from dataclasses import dataclass, field

from service.lifecycle.trial_fork import TrialResult
from service.lifecycle.trial_journal import WantedTrial
from service.lifecycle.trial_queue import LANES, PAUSED_BYTES, QUANTUM, TrialQueue

PASSED = TrialResult()
TIMEOUT = 10.0


@dataclass
class FakeFork:
    """A fork whose time passes by `run`; it is over after `needs` seconds."""

    needs: float
    used: float = 0.0
    private_bytes: int = 0
    pipe: int = -1
    is_running: bool = True
    is_nice: bool = False
    is_killed: bool = False

    @property
    def seconds(self) -> float:
        return self.used

    def poll(self) -> TrialResult | None:
        return PASSED if self.used >= self.needs else None

    def pause(self) -> None:
        self.is_running = False

    def resume(self) -> None:
        self.is_running = True

    def slow_down(self) -> None:
        self.is_nice = True

    def kill(self) -> None:
        self.is_killed = True

    def reap(self) -> int:
        return -9


@dataclass
class Machine:
    """A queue over fake forks, and its clock. `needs` are the seconds of each bundle by name, forever by default."""

    needs: dict[str, float]
    private_bytes: int = 0
    forks: list[tuple[str, FakeFork]] = field(default_factory=list)
    over: dict[str, TrialResult] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.queue = TrialQueue(self.fork, TIMEOUT)  # type: ignore[arg-type]  # a fake has what is used

    def fork(self, wanted: WantedTrial) -> FakeFork:
        fork = FakeFork(self.needs.get(wanted.name, float("inf")), private_bytes=self.private_bytes)
        self.forks.append((wanted.name, fork))
        return fork

    def want(self, *names: str, urgent: str = "") -> None:
        self.queue.want([WantedTrial(name, 1, "files", 0, urgent=name == urgent) for name in names])

    def run(self, seconds: float, step: float = 0.01) -> None:
        until = self.seconds + seconds
        while self.seconds < until:
            self.over |= {wanted.name: result for wanted, result in self.queue.advance().items()}
            for _, fork in self.forks:
                fork.used += step * (fork.is_running and not fork.is_killed)
            self.seconds += step

    def running(self) -> list[str]:
        return [name for name, fork in self.forks if fork.is_running and not fork.is_killed and name not in self.over]


ENDLESS = [f"endless{n}" for n in range(50)]


def test_a_good_bundle_behind_fifty_endless_ones_is_over_in_time() -> None:
    machine = Machine({"good": QUANTUM})
    machine.want(*ENDLESS, "good")

    machine.run(3)

    assert machine.over == {"good": PASSED}


def test_no_more_forks_run_at_a_time_than_there_are_lanes() -> None:
    machine = Machine({})
    machine.want(*ENDLESS)

    for _ in range(100):
        machine.run(0.02)
        assert len(machine.running()) == LANES


def test_a_new_trial_does_not_wait_for_the_long_turns_of_others() -> None:
    machine = Machine({"good": QUANTUM})
    machine.want(*ENDLESS[:4])
    machine.run(9)
    machine.want(*ENDLESS[:4], "good")

    machine.run(QUANTUM + 0.05)

    assert machine.over == {"good": PASSED}


def test_an_urgent_trial_is_the_next() -> None:
    machine = Machine({"late": QUANTUM})
    machine.want(*ENDLESS, "late", urgent="late")

    machine.run(QUANTUM + 0.05)

    assert machine.over == {"late": PASSED}


def test_what_never_ends_fails_after_the_timeout_of_its_own_time() -> None:
    machine = Machine({})
    machine.want(*ENDLESS[:4])

    machine.run(TIMEOUT)
    early = dict(machine.over)
    machine.run(2 * TIMEOUT)

    assert early == {}
    assert {result.failure for result in machine.over.values()} == {"timeout"}
    assert len(machine.over) == 4
    assert all(fork.is_killed for _, fork in machine.forks)
    assert all(fork.is_nice for _, fork in machine.forks)


def test_paused_forks_keep_little_memory_and_those_killed_for_it_get_on() -> None:
    machine = Machine({"long": 1.0}, private_bytes=PAUSED_BYTES // 2 + 1)
    machine.want(*ENDLESS[:6], "long")

    for _ in range(2000):
        machine.run(0.01)
        paused = [fork for _, fork in machine.forks if not fork.is_running and not fork.is_killed]
        assert len(paused) <= 1

    assert machine.over["long"] == PASSED


def test_what_is_not_wanted_any_more_is_killed() -> None:
    machine = Machine({})
    machine.want(*ENDLESS[:4])
    machine.run(1)

    machine.want(ENDLESS[0])

    assert {name for name, fork in machine.forks if not fork.is_killed} == {ENDLESS[0]}


def test_where_no_process_can_be_forked_the_trials_wait() -> None:
    machine = Machine({"good": QUANTUM})
    is_full = True

    def fork(wanted: WantedTrial) -> FakeFork:
        if is_full:
            raise BlockingIOError("no more processes")
        return machine.fork(wanted)

    machine.queue = TrialQueue(fork, TIMEOUT)  # type: ignore[arg-type]
    machine.want("good")
    machine.run(1)
    is_full = False

    machine.run(1)

    assert machine.over == {"good": PASSED}
