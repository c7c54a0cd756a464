"""The metrics of workers that start, crash and exit, and the service's readiness."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes.service import ROOT, STOP_SECONDS, RunningService, read_counts, running, until


def gauge(service: RunningService, name: str) -> float:
    """The value of a metric without labels."""
    found = re.search(rf"^{name} (\S+)$", service.get("/metrics").body.decode(), re.MULTILINE)
    assert found is not None
    return float(found[1])


def deaths(service: RunningService) -> dict[str, float]:
    """How many workers exited unexpectedly, by cause."""
    return read_counts(service, "convserve_worker_deaths_total", "cause")


def wait_for_a_death(service: RunningService) -> None:
    until(lambda: sum(deaths(service).values()) > 0, "the death is counted")
    until(lambda: gauge(service, "convserve_workers") == 2, "two workers serve again")


DRAIN_SECONDS = 5  # three requests and a process that starts fit in, also on a machine that is busy
NONE = {"signal": 0.0, "exit": 0.0, "timeout": 0.0, "memory": 0.0}


def test_from_the_start_there_are_all_numbers(models: Path) -> None:
    with running(models, workers=2) as service:
        assert deaths(service) == NONE
        assert gauge(service, "convserve_workers") == 2
        assert gauge(service, "convserve_ready") == 1


def test_a_killed_worker_is_counted_and_replaced(models: Path) -> None:
    with running(models, workers=2) as service:
        os.kill(service.workers()[0], signal.SIGKILL)
        wait_for_a_death(service)

        assert deaths(service) == {**NONE, "signal": 1}


def test_a_worker_that_dies_while_it_loads_is_counted(models: Path) -> None:
    with running(models, workers=1) as service:
        old = set(service.workers())
        service.process.send_signal(signal.SIGHUP)
        until(lambda: len(service.workers()) == 2, "a new worker is starting")
        (new,) = set(service.workers()) - old
        os.kill(new, signal.SIGSEGV)
        until(lambda: b"the old ones stay" in service.stderr.read_bytes(), "the reload has failed")

        assert deaths(service) == {**NONE, "signal": 1}


def test_a_worker_without_a_sign_of_life_is_counted_and_replaced(models: Path) -> None:
    with running(models, "tests.support.processes.short_timeout_service", workers=2) as service:
        os.kill(service.workers()[0], signal.SIGSTOP)
        wait_for_a_death(service)

        assert deaths(service) == {**NONE, "timeout": 1}


def leave(service: RunningService) -> None:
    """SIGTERM to one worker, and wait for the one that takes its place."""
    terminated = service.workers()[0]
    os.kill(terminated, signal.SIGTERM)
    until(lambda: terminated not in service.workers() and service.serving() == 2, "another one has taken its place")


def shrink(service: RunningService) -> None:
    """A third worker, and back to two."""
    service.process.send_signal(signal.SIGTTIN)
    until(lambda: service.serving() == 3, "there is one more")
    service.process.send_signal(signal.SIGTTOU)
    until(lambda: len(service.workers()) == 2, "there is one less")


@pytest.mark.parametrize("tell", [leave, shrink, RunningService.reload], ids=["SIGTERM", "SIGTTOU", "SIGHUP"])
def test_workers_that_are_asked_to_exit_are_no_crashes(models: Path, tell: Callable[[RunningService], None]) -> None:
    with running(models, workers=2) as service:
        tell(service)

        assert deaths(service) == NONE
        assert gauge(service, "convserve_workers") == 2


def test_once_the_end_is_announced_it_is_not_ready(models: Path) -> None:
    with running(models, drain_delay=DRAIN_SECONDS) as service:
        before = check_health(service)
        service.process.send_signal(signal.SIGTERM)
        until(lambda: gauge(service, "convserve_ready") == 0, "it is not ready", seconds=DRAIN_SECONDS)
        during = check_health(service)

        assert service.get("/readyz").status == 503
        assert service.process.wait(STOP_SECONDS) == 0
        after = check_health(service)

    assert (before.returncode, before.stderr) == (0, "")
    assert (during.returncode, after.returncode) == (1, 1)
    assert "shutting down" in during.stderr
    assert "refused" in after.stderr


def check_health(service: RunningService) -> "subprocess.CompletedProcess[str]":
    """What Docker does every few seconds."""
    return subprocess.run(
        [sys.executable, "-m", "service.healthcheck"],
        cwd=ROOT,
        env={"CONVSERVE_PORT": str(service.port)},
        capture_output=True,
        text=True,
        check=False,
    )
