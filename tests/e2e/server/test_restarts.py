"""Restarts and reloads under load: every accepted request gets its response.

`make test` does each a few times; the long runs of 20 are marked `slow` (`make prove`).
"""

import os
import re
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.load.generator import Result, failures, percentile, traffic
from tests.support.processes.service import STOP_SECONDS, RunningService, free_port, running, until

ROUNDS = pytest.mark.parametrize(
    ("workers", "rounds"),
    [(2, 6), (4, 2), pytest.param(2, 20, marks=pytest.mark.slow), pytest.param(4, 20, marks=pytest.mark.slow)],
)
CLIENTS = 8
RATE = 200  # requests a second
REACTION = 0.05  # seconds from a signal to what it does, on a busy machine
STALL = 0.5  # seconds: far more than a request takes, less than it takes until a new worker serves
QUICK: dict[str, Any] = {"drain_delay": 0.2, "drain_timeout": 0.15}


@ROUNDS
def test_restarts_under_load_lose_no_accepted_request(models: Path, workers: int, rounds: int) -> None:
    port, ends = free_port(), []
    with (
        traffic(port, rate=RATE, connections=CLIENTS, retry_refused=True) as load,
        traffic(port, "/readyz", b"", method="GET", rate=50, connections=4, retry_refused=True) as ready,
        traffic(port, "/livez", b"", method="GET", rate=20, connections=2, retry_refused=True) as live,
    ):
        for _ in range(rounds):
            with running(models, port=port, workers=workers, **QUICK) as service:
                time.sleep(0.1)
                ends.append(end(service))

    assert failures(load.results) == []
    assert failures(live.results) == []
    assert {result.reused for result in load.results} == {True, False}
    responses = [asked_in(ready.results, *each) for each in ends]
    assert all(responses)
    assert {result.status for each in responses for result in each} == {503}


def end(service: RunningService) -> tuple[float, float]:
    """Send SIGTERM and wait for a good end; from when to when the service had to say that it is not ready."""
    service.process.send_signal(signal.SIGTERM)
    begun = time.monotonic() + REACTION
    assert service.process.wait(STOP_SECONDS) == 0
    return begun, time.monotonic()


def asked_in(results: list[Result], begin: float, end: float) -> list[Result]:
    """Those that were sent and answered within a time."""
    return [result for result in results if begin <= result.sent and result.ended <= end]


@ROUNDS
def test_reloads_under_load_lose_nothing_and_delay_no_request(models: Path, workers: int, rounds: int) -> None:
    with (
        running(models, workers=workers, **QUICK) as service,
        traffic(service.port, rate=RATE, connections=CLIENTS) as load,
        traffic(service.port, "/readyz", b"", method="GET", rate=50, connections=2) as ready,
    ):
        for _ in range(rounds):
            service.reload()

    assert failures(load.results) == []
    assert failures(ready.results) == []
    assert percentile(load.results, 0.99) < STALL


@pytest.mark.parametrize("workers", [2, 4])
def test_a_killed_worker_takes_only_its_own_requests_with_it(models: Path, workers: int) -> None:
    scrapes = []
    with (
        running(models, workers=workers, **QUICK) as service,
        traffic(service.port, rate=RATE, connections=CLIENTS) as load,
    ):
        time.sleep(0.5)
        killed = time.monotonic()
        os.kill(service.workers()[0], signal.SIGKILL)
        while time.monotonic() < killed + 2:
            scrapes.append(counters(service))
            time.sleep(0.05)
        assert service.serving() == workers

    lost = failures(load.results)
    assert len(lost) <= CLIENTS
    assert all(each.sent - REACTION < killed < each.ended + REACTION for each in lost)
    assert percentile(load.results, 0.99) < STALL
    assert len(scrapes) > 10
    assert fallen(scrapes) == set()


def counters(service: RunningService) -> dict[str, float]:
    """All that must never fall, by sample; nothing where the worker that was asked is killed meanwhile."""
    try:
        text = service.get("/metrics").body.decode()
    except ConnectionError:
        return {}
    samples = re.findall(r"^((?:http|convserve)_\w+_(?:total|count|sum|bucket)\S*) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in samples}


def fallen(scrapes: list[dict[str, float]]) -> set[str]:
    """Samples that were lower than before, or missing."""
    seen = [each for each in scrapes if each]
    return {name for before, after in pairwise(seen) for name, value in before.items() if after.get(name, 0.0) < value}


def test_workers_that_are_terminated_one_by_one_lose_nothing(models: Path) -> None:
    with (
        running(models, workers=3, **QUICK) as service,
        traffic(service.port, rate=RATE, connections=CLIENTS) as load,
    ):
        time.sleep(0.5)
        service.process.send_signal(signal.SIGTTOU)
        until(lambda: len(service.workers()) == 2, "one worker has left")
        terminated = service.workers()[0]
        os.kill(terminated, signal.SIGTERM)
        until(lambda: terminated not in service.workers() and service.serving() == 2, "another has been replaced")

    assert len(load.results) > RATE / 2
    assert failures(load.results) == []
    assert percentile(load.results, 0.99) < STALL
