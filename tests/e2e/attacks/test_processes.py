"""Forks that fail, few descriptors, killed masters: the service goes on with what it has."""

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.attacks.floods import flood
from tests.support.attacks.forks import failing_forks
from tests.support.http.raw_client import RawConnection, request
from tests.support.load.generator import PNG, failures, traffic
from tests.support.processes.service import children, running, until


@pytest.mark.slow
def test_forks_that_fail_leave_the_other_worker_serving_and_are_tried_again(attacked_models: Path) -> None:
    with running(attacked_models, workers=2) as service:
        first, second = service.workers()
        with traffic(service.port, rate=50, keep_alive=False) as load:
            with failing_forks(service.process.pid):
                os.kill(first, signal.SIGKILL)
                until(lambda: first not in service.workers(), "the worker is gone")
                with pytest.raises(TimeoutError):
                    until(lambda: len(service.workers()) == 2, "there is another one", seconds=5)
                assert service.workers() == [second]
            until(lambda: service.serving() == 2, "there are two workers again", seconds=20)

        assert len(failures(load.results)) <= 1  # what the killed worker had in hand
        assert "fork" in service.stderr.read_text()


@pytest.mark.slow
def test_a_reload_whose_forks_fail_leaves_the_old_workers_serving(attacked_models: Path) -> None:
    with running(attacked_models, workers=2) as service:
        old = service.workers()
        with traffic(service.port, rate=50) as load:
            with failing_forks(service.process.pid):
                service.process.send_signal(signal.SIGHUP)
                time.sleep(3)
                assert service.workers() == old
            until(lambda: set(old).isdisjoint(service.workers()), "all workers are new", seconds=20)

        assert failures(load.results) == []


def test_more_workers_than_the_scoreboard_has_rows_for_stop_nothing(attacked_models: Path) -> None:
    with running(attacked_models, workers=1) as service:
        for _ in range(300):
            service.process.send_signal(signal.SIGTTIN)
        assert service.post("/predict", PNG).status == 200
        for _ in range(300):
            service.process.send_signal(signal.SIGTTOU)

        assert service.post("/predict", PNG).status == 200
        assert service.process.poll() is None


def test_with_few_descriptors_every_prediction_has_an_answer(attacked_models: Path) -> None:
    with running(attacked_models, open_files=64, workers=2) as service:
        workers = service.workers()
        with ExitStack() as held, flood(service.port, 300, b"G"):
            for _ in range(20):
                held.enter_context(RawConnection(service.port)).send(request("GET", "/livez"))
            statuses = [service.post("/predict", PNG).status for _ in range(200)]

        assert set(statuses) == {200}
        assert service.workers() == workers


@pytest.mark.slow
def test_the_next_service_removes_what_a_killed_one_left(
    attacked_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running(attacked_models, workers=2) as service:
        before = {folder.name for folder in tmp_path.iterdir()}
        workers = children(service.process.pid)
        service.process.kill()
        service.process.wait()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "the workers have left")
    assert before <= {folder.name for folder in tmp_path.iterdir()}

    with running(attacked_models, workers=2) as service:
        until(lambda: before.isdisjoint(folder.name for folder in tmp_path.iterdir()), "it is tidy", seconds=10)
        assert service.post("/predict", PNG).status == 200
