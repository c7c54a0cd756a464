"""How long a worker has been silent, by a clock that nobody sets."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.ipc.scoreboard import Scoreboard
from service.ipc.watchdog import Watchdog
from tests.support.processes.service import until


class Clock:
    """Monotonic seconds that the test adds to."""

    def __init__(self) -> None:
        self.added = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.added


def test_a_worker_is_heard_from_its_fork_on() -> None:
    scoreboard, clock = Scoreboard(), Clock()
    slot, watchdog = scoreboard.claim(), Watchdog(scoreboard, clock)
    for _ in range(20):
        clock.added += 5
        watchdog.attend()

    assert watchdog.silence(slot) == pytest.approx(100, abs=1)
    scoreboard.beat(slot)
    assert watchdog.silence(slot) == pytest.approx(100, abs=1)  # the clock of the test is ahead of the scoreboard's
    clock.added = 0
    assert watchdog.silence(slot) < 1


def test_a_new_worker_in_a_slot_has_its_own_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    scoreboard = Scoreboard()
    slot = scoreboard.claim()
    before = scoreboard.last_beat(slot)
    scoreboard.release(slot)
    time.sleep(0.01)
    monkeypatch.setattr(time, "time", lambda: 0.0)

    assert scoreboard.claim() == slot
    assert scoreboard.last_beat(slot) >= before + 0.01


def test_while_the_master_stood_still_nobody_was_silent() -> None:
    scoreboard, clock = Scoreboard(), Clock()
    slot, watchdog = scoreboard.claim(), Watchdog(scoreboard, clock)
    watchdog.attend()
    clock.added = 3600
    watchdog.attend()

    assert watchdog.silence(slot) < 1
    clock.added += 5
    watchdog.attend()
    assert watchdog.silence(slot) == pytest.approx(5, abs=1)


PARENT = """
import os, sys, time
from service.ipc.watchdog import end_with_master
master = os.getpid()
child = os.fork()
if child == 0:
    end_with_master(master)
    time.sleep(60)
print(child, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal is Linux's")
def test_a_worker_ends_when_its_master_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as master:
        assert master.stdout is not None
        child = int(master.stdout.readline())
        time.sleep(0.2)
        master.kill()
    until(lambda: not lives(child), "the child has ended", seconds=5)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_worker_whose_master_is_gone_already_ends_at_once() -> None:
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        from service.ipc.watchdog import end_with_master  # noqa: PLC0415 - in the child

        end_with_master(master=1)
        os._exit(0)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM


def test_one_long_piece_of_work_is_no_silence() -> None:
    scoreboard, clock = Scoreboard(), Clock()
    slot, watchdog = scoreboard.claim(), Watchdog(scoreboard, clock)
    scoreboard.beat(slot, ahead=60)
    clock.added = 8
    watchdog.attend()

    assert watchdog.silence(slot) == pytest.approx(-52, abs=1)
