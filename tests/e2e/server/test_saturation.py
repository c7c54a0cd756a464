"""Under 64 clients that keep every worker busy, orders, reloads and the shutdown are looked after as without load."""

import hashlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.attacks.saturation import saturated
from tests.support.bundles.tiny import publish_tiny
from tests.support.http.raw_client import RawConnection, request
from tests.support.load.generator import Load, failures
from tests.support.processes.service import STOP_SECONDS, RunningService, running, until

SOON = 1.0  # seconds, beside what the requests take that are under way or waiting
KEY = "of the tests"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    publish_tiny(tmp_path / "models", "mnist", 1)
    publish_tiny(tmp_path / "models", "other", 1)
    return tmp_path / "models"


@pytest.fixture
def service(repository: Path, tmp_path: Path) -> Iterator[RunningService]:
    keys = tmp_path / "admin.keys"
    keys.write_text(hashlib.sha256(KEY.encode()).hexdigest() + "\n")
    with running(repository, workers=2, poll_interval=0, admin_keys=keys, drain_timeout=2) as service:
        yield service


def bound(load: Load) -> float:
    """Seconds in which what was asked for has to be done: the queue is a few times as long as its requests wait."""
    return SOON + 3 * max(result.ended - result.sent for result in load.results)


def test_an_order_to_load_is_carried_out(service: RunningService, repository: Path) -> None:
    publish_tiny(repository, "other", 2)
    with saturated(service.port) as load:
        time.sleep(0.5)
        begun = time.monotonic()
        response = service.post("/v2/repository/models/other/load", b"", authorization=f"Bearer {KEY}")
        seconds = time.monotonic() - begun

    assert response.status == 200
    assert seconds < bound(load)
    assert failures(load.results) == []


def test_a_worker_that_is_told_to_leave_tells_its_clients_and_leaves(service: RunningService) -> None:
    with saturated(service.port) as load:
        time.sleep(0.5)
        first, _ = service.workers()
        begun = time.monotonic()
        os.kill(first, signal.SIGTERM)
        until(lambda: first not in service.workers(), "it has left")
        seconds = time.monotonic() - begun

    assert seconds < bound(load)
    assert failures(load.results) == []


def test_a_reload_loses_nothing(service: RunningService) -> None:
    old = set(service.workers())
    with saturated(service.port) as load:
        time.sleep(0.5)
        service.process.send_signal(signal.SIGHUP)
        until(lambda: old.isdisjoint(service.workers()), "the old workers have left")

    assert failures(load.results) == []


def test_the_shutdown_tells_all_clients_and_ends(service: RunningService) -> None:
    with saturated(service.port) as load:
        time.sleep(0.5)
        begun = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        status = service.process.wait(STOP_SECONDS)
        seconds = time.monotonic() - begun

    assert status == 0
    assert seconds < bound(load)
    assert failures(load.results) == []


def test_new_clients_are_accepted(service: RunningService) -> None:
    with saturated(service.port) as load:
        time.sleep(0.5)
        longest = 0.0
        for _ in range(5):
            begun = time.monotonic()
            with RawConnection(service.port) as connection:
                connection.send(request("GET", "/livez"))
                assert connection.response().status == 200
            longest = max(longest, time.monotonic() - begun)

    assert longest < bound(load)
    assert failures(load.results) == []
