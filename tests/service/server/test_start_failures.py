"""When a failed start is tried again, and when the service gives up."""

import logging

import pytest
from gunicorn.errors import HaltServer

from service.ipc.scoreboard import ExitCause, Scoreboard, StartFailure
from service.server.start_failures import StartFailures

LOG = logging.getLogger("test")


class Starts:
    """Failures of starts under a clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.scoreboard = Scoreboard()
        self.failures = StartFailures(self.scoreboard, LOG, lambda: self.now)

    def begin(self) -> int:
        slot = self.scoreboard.claim()
        self.failures.begin(slot)
        return slot

    def serve(self) -> int:
        slot = self.begin()
        self.scoreboard.enter(slot, 1)
        self.failures.update()
        return slot

    def end(self, slot: int, cause: ExitCause | None = ExitCause.EXIT, code: int = 3) -> None:
        try:
            self.failures.end(slot, cause, code, "exit status 3")
        finally:
            self.scoreboard.release(slot)

    def fail_boot(self, seconds: float = 1.0) -> float:
        """A worker that starts when it may, and ends after some seconds; when the next one may."""
        self.now += self.failures.seconds_left
        slot = self.begin()
        self.now += seconds
        self.end(slot)
        return self.failures.seconds_left

    def fail_fork(self) -> float:
        self.now += self.failures.seconds_left
        self.failures.add_fork(StartFailure.FORK, "no process", has_workers=False)
        return self.failures.seconds_left


@pytest.fixture
def starts() -> Starts:
    return Starts()


def test_each_failure_doubles_the_time_until_the_next_attempt_up_to_five_seconds(starts: Starts) -> None:
    starts.serve()

    assert [round(starts.fail_boot(), 2) for _ in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert starts.scoreboard.start_failures() == {StartFailure.FORK: 0, StartFailure.BOOT: 8, StartFailure.SLOT: 0}
    assert starts.scoreboard.failing_start is StartFailure.BOOT


def test_a_worker_that_serves_ends_the_failures(starts: Starts) -> None:
    starts.serve()
    starts.fail_boot()
    starts.serve()

    assert starts.failures.seconds_left == 0
    assert starts.scoreboard.failing_start is None
    assert starts.fail_boot() == pytest.approx(0.1)


def test_workers_that_serve_already_do_not_end_them(starts: Starts) -> None:
    starts.serve()
    starts.fail_boot()
    starts.failures.update()

    assert starts.scoreboard.failing_start is StartFailure.BOOT
    assert starts.fail_boot() == pytest.approx(0.2)


def test_workers_that_start_side_by_side_fail_as_one(starts: Starts) -> None:
    slots = [starts.begin() for _ in range(4)]
    for slot in slots:
        starts.now += 0.05
        starts.end(slot)

    assert starts.scoreboard.start_failures()[StartFailure.BOOT] == 4
    starts.now += 0.1
    assert starts.fail_boot() == pytest.approx(0.2)


def test_a_service_that_has_never_served_halts_at_the_third_boot(starts: Starts) -> None:
    starts.fail_boot()
    starts.fail_boot()

    with pytest.raises(HaltServer, match="3 attempts failed, exit status 3") as raised:
        starts.fail_boot()

    assert raised.value.exit_status == 3


def test_crashes_while_workers_load_do_not_halt_it(starts: Starts) -> None:
    for _ in range(20):
        starts.now += 5
        starts.end(starts.begin(), ExitCause.SIGNAL, -11)

    assert starts.scoreboard.start_failures()[StartFailure.BOOT] == 20


def test_a_service_that_has_served_never_halts(starts: Starts) -> None:
    starts.end(starts.serve(), ExitCause.SIGNAL, -9)
    for _ in range(50):
        starts.fail_boot()
        starts.fail_fork()

    assert starts.failures.seconds_left == 5


def test_without_a_process_for_ten_seconds_the_start_is_given_up(starts: Starts) -> None:
    begun = starts.now
    with pytest.raises(HaltServer, match="for 10 seconds: no process"):
        list(iter(starts.fail_fork, None))

    assert 10 <= starts.now - begun <= 15


def test_a_worker_that_ends_by_itself_at_once_has_not_served(starts: Starts) -> None:
    starts.serve()
    slot = starts.serve()
    starts.now += 1
    starts.end(slot, ExitCause.EXIT, 255)

    assert starts.scoreboard.failing_start is StartFailure.BOOT


@pytest.mark.parametrize(
    ("cause", "code", "seconds"),
    [(None, 0, 1), (None, -15, 1), (ExitCause.EXIT, 255, 6), (ExitCause.SIGNAL, -9, 1), (ExitCause.TIMEOUT, -9, 70)],
    ids=["left", "told to leave", "failed later", "killed", "hung"],
)
def test_how_a_worker_ends_that_has_served_is_no_failed_start(
    starts: Starts, cause: ExitCause | None, code: int, seconds: float
) -> None:
    slot = starts.serve()
    starts.now += seconds
    starts.end(slot, cause, code)

    assert starts.failures.seconds_left == 0
    assert starts.scoreboard.start_failures()[StartFailure.BOOT] == 0


def test_a_worker_that_is_told_to_leave_while_it_starts_is_no_failed_start(starts: Starts) -> None:
    starts.end(starts.begin(), None, -15)

    assert starts.scoreboard.start_failures()[StartFailure.BOOT] == 0
    assert starts.failures.seconds_left == 0


def test_how_long_a_worker_starts_is_known_until_it_serves(starts: Starts) -> None:
    slot = starts.begin()
    starts.now += 7
    before = starts.failures.starting_for(slot)
    starts.scoreboard.enter(slot, 1)
    starts.failures.update()

    assert (before, starts.failures.starting_for(slot)) == (7, 0)
