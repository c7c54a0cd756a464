"""What fails or hangs when a worker starts, and a time of the day that jumps: the service serves on."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.load.generator import failures, traffic
from tests.support.processes.service import STOP_SECONDS, RunningService, children, read_counts, running, start, until

FAULTY = "tests.support.processes.faulty_service"
STARTING_SECONDS = 2.0  # after which a worker that hangs while it starts does so surely
TEN_YEARS = 10 * 365 * 86400


@pytest.fixture
def faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder whose files are faults of the service."""
    folder = tmp_path / "faults"
    folder.mkdir()
    monkeypatch.setenv("FAULTS", str(folder))
    return folder


@contextmanager
def fault(folder: Path, name: str) -> Iterator[None]:
    """Something fails as long as this lasts."""
    (folder / name).touch()
    yield
    (folder / name).unlink()


def failed_starts(service: RunningService) -> dict[str, float]:
    return read_counts(service, "convserve_worker_start_failures_total", "cause")


def died(service: RunningService) -> dict[str, float]:
    return read_counts(service, "convserve_worker_deaths_total", "cause")


def said(service: RunningService, text: str) -> Callable[[], bool]:
    return lambda: text in service.stderr.read_text()


def await_death_of(service: RunningService, worker: int) -> None:
    os.kill(worker, signal.SIGKILL)
    until(lambda: worker not in service.workers(), "the worker is gone")


@pytest.mark.parametrize(("name", "least"), [("fork", 4), ("boot", 3)])
def test_starts_that_fail_are_tried_again_while_the_others_serve(
    models: Path, faults: Path, name: str, least: int
) -> None:
    with running(models, FAULTY, workers=2) as service:
        with fault(faults, name), traffic(service.port, retry_refused=True) as load:
            time.sleep(0.2)
            await_death_of(service, service.workers()[0])
            until(lambda: failed_starts(service)[name] >= least, "the start has failed some times")
            until(lambda: b"could not be started" in service.get("/readyz").body, "readiness warns")
            ready = service.get("/readyz").status
            one_left = service.serving()
        until(lambda: service.serving() == 2, "two workers serve again")
        until(lambda: b"could not be started" not in service.get("/readyz").body, "readiness warns no more")

        assert (ready, one_left) == (200, 1)
        assert service.process.poll() is None
    assert len(failures(load.results)) <= 16  # those that the killed worker had


def test_a_reload_survives_forks_that_fail(models: Path, faults: Path) -> None:
    with running(models, FAULTY, workers=2) as service, traffic(service.port) as load:
        old = set(service.workers())
        with fault(faults, "fork"):
            service.process.send_signal(signal.SIGHUP)
            until(lambda: failed_starts(service)["fork"] >= 3, "three forks have failed")
            assert set(service.workers()) == old
        until(lambda: old.isdisjoint(service.workers()) and service.serving() == 2, "all workers are new")

    assert failures(load.results) == []


def test_a_service_that_cannot_boot_at_its_start_says_so(tmp_path: Path, models: Path, faults: Path) -> None:
    with fault(faults, "boot"):
        process = start(tmp_path / "stdout", tmp_path / "stderr", None, FAULTY, models=models, port=0, workers=2)
        status = process.wait(STOP_SECONDS)

    assert status == 3
    assert "Reason: a worker cannot start: 3 attempts failed" in (tmp_path / "stderr").read_text()


def test_a_start_waits_for_a_process(tmp_path: Path, models: Path, faults: Path) -> None:
    (faults / "fork").touch()
    errors = tmp_path / "stderr"
    process = start(tmp_path / "stdout", errors, None, FAULTY, models=models, port=0, workers=1)
    until(lambda: errors.exists() and errors.read_text().count("(fork)") >= 3, "three forks have failed")
    (faults / "fork").unlink()
    until(lambda: len(children(process.pid)) == 1, "there is a worker")
    process.terminate()

    assert process.wait(STOP_SECONDS) == 0


def test_a_worker_that_hangs_while_it_starts_does_not_delay_the_end(models: Path, faults: Path) -> None:
    with running(models, FAULTY, workers=1) as service, fault(faults, "hang"):
        service.process.send_signal(signal.SIGHUP)
        until(lambda: len(service.workers()) == 2, "a new worker is starting")
        time.sleep(STARTING_SECONDS)
        begun = time.monotonic()
        status = service.stop()

        assert status == 0
        assert time.monotonic() - begun < 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=lambda number: number.name)
def test_an_end_at_once_does_not_wait_for_a_reload(models: Path, faults: Path, number: signal.Signals) -> None:
    with running(models, FAULTY, workers=1) as service, fault(faults, "hang"):
        service.process.send_signal(signal.SIGHUP)
        until(lambda: len(service.workers()) == 2, "a new worker is starting")
        time.sleep(STARTING_SECONDS)
        service.process.send_signal(number)

        assert service.process.wait(5) == 0


def test_a_first_start_that_hangs_can_be_ended(tmp_path: Path, models: Path, faults: Path) -> None:
    with fault(faults, "hang"):
        process = start(tmp_path / "stdout", tmp_path / "stderr", None, FAULTY, models=models, port=0, workers=2)
        until(lambda: len(children(process.pid)) == 2, "two workers are starting")
        time.sleep(STARTING_SECONDS)
        process.terminate()

        assert process.wait(3) == 0


def test_a_worker_that_hangs_while_it_starts_is_replaced(
    models: Path, faults: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTY_TIMEOUT", "8")
    with running(models, FAULTY, workers=2) as service:
        with fault(faults, "hang"):
            await_death_of(service, service.workers()[0])
            until(lambda: died(service)["timeout"] >= 1, "the worker that hung is killed")
        until(lambda: service.serving() == 2, "two workers serve again")

        assert failed_starts(service)["boot"] >= 1


def test_reloads_that_are_asked_for_during_a_reload_become_one(models: Path) -> None:
    with running(models, workers=1) as service:
        for _ in range(20):
            service.process.send_signal(signal.SIGHUP)
            time.sleep(0.01)
        time.sleep(1)
        until(lambda: len(service.workers()) == 1, "the reloads are over", pause=0.5)
        service.reload()

        assert 2 <= service.stderr.read_text().count("Hang up") <= 5


@pytest.mark.parametrize("jump", [TEN_YEARS, -TEN_YEARS], ids=["forward", "back"])
def test_a_jump_of_the_time_of_the_day_has_no_effect(
    models: Path, faults: Path, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    monkeypatch.setenv("FAULTY_TIMEOUT", "8")
    with running(models, FAULTY, workers=2, drain_delay=1) as service:
        old = set(service.workers())
        (faults / "clock").write_text(str(jump))
        time.sleep(9)
        assert set(service.workers()) == old
        assert sum(died(service).values()) == 0
        service.reload()
        begun = time.monotonic()
        status = service.stop()

        assert status == 0
        assert 1 <= time.monotonic() - begun < 4


def test_a_second_master_is_refused(models: Path) -> None:
    with running(models) as service:
        service.process.send_signal(signal.SIGUSR2)
        until(said(service, "SIGUSR2 is refused"), "it is refused")

        assert len(service.workers()) == 1
        assert service.get("/readyz").status == 200


def test_the_last_worker_stays(models: Path) -> None:
    with running(models) as service:
        service.process.send_signal(signal.SIGTTOU)
        until(said(service, "ttou"), "the signal is handled")
        time.sleep(0.3)

        assert service.serving() == 1


def test_what_a_killed_master_leaves_is_removed_at_the_next_start(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    foreign = tmp_path / "convserve-backups"
    foreign.mkdir()
    with running(models, workers=2, drain_timeout=1) as service:
        workers = service.workers()
        service.process.kill()
        service.process.wait()
        with running(models, port=service.port, workers=2) as successor:
            until(lambda: not any(map(alive, workers)), "the old workers have ended")
            until(lambda: len(list(tmp_path.glob("convserve-*"))) == 2, "the old folder is removed")

            assert successor.get("/readyz").status == 200
    assert list(tmp_path.glob("convserve-*")) == [foreign]


def alive(pid: int) -> bool:
    """Whether there is such a process, and not only its exit status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_port_that_stays_taken_leaves_no_folder(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running(models) as service:
        process = start(tmp_path / "out", tmp_path / "err", models=models, port=service.port, workers=1)
        until(lambda: "in use" in (tmp_path / "err").read_text(), "the address is in use")
        begun = time.monotonic()
        process.terminate()
        process.wait(STOP_SECONDS)

        assert time.monotonic() - begun < 2
        assert len(list(tmp_path.glob("convserve-*"))) == 1
