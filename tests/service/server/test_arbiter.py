"""The master by itself, without a process: what it does where a worker cannot be forked, and what it refuses."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.ipc.scoreboard import SLOTS, StartFailure
from service.server.arbiter import MOST_WORKERS, DrainingArbiter
from service.server.gunicorn_app import GunicornApplication
from service.settings import Settings
from tests.service.server.test_gunicorn_app import application


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GunicornApplication]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    server = application(Settings(workers=2))
    yield server
    server._shared.remove()


@pytest.fixture
def arbiter(server: GunicornApplication) -> DrainingArbiter:
    arbiter = DrainingArbiter(server, server._scoreboard, 0.0, lambda: None)
    arbiter.pid = os.getpid()
    return arbiter


def files_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM], ids=["EAGAIN", "ENOMEM"])
def test_a_fork_that_fails_keeps_no_slot_and_no_file(
    arbiter: DrainingArbiter, server: GunicornApplication, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail() -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fork", fail)
    before = files_open()
    pids = [arbiter.spawn_worker() for _ in range(300)]

    assert set(pids) == {0}
    assert files_open() == before
    assert server._scoreboard.starting() == set()
    assert server._scoreboard.start_failures()[StartFailure.FORK] == 300
    assert arbiter._failures.seconds_left > 0


def test_without_a_free_slot_nothing_is_forked(
    arbiter: DrainingArbiter, server: GunicornApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked"))
    for _ in range(SLOTS):
        server._scoreboard.claim()
    before = files_open()

    assert arbiter.spawn_worker() == 0
    assert files_open() == before
    assert len(server._scoreboard.starting()) == SLOTS
    assert server._scoreboard.failing_start is StartFailure.SLOT


def test_without_a_file_nothing_is_forked(
    arbiter: DrainingArbiter, server: GunicornApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked"))
    server.cfg.set("worker_tmp_dir", str(server._folder))
    monkeypatch.setattr("tempfile.mkstemp", lambda **_: os.open("/nowhere/at/all", os.O_RDONLY))

    assert arbiter.spawn_worker() == 0
    assert server._scoreboard.starting() == set()


def test_after_a_failure_no_worker_is_tried_at_once(arbiter: DrainingArbiter, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def fail() -> int:
        tries.append(1)
        raise BlockingIOError(errno.EAGAIN, "none")

    monkeypatch.setattr(os, "fork", fail)
    for _ in range(5):
        arbiter.manage_workers()

    assert len(tries) == 1


def test_more_workers_than_a_reload_can_replace_are_refused(
    arbiter: DrainingArbiter, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arbiter.log.error_log, "propagate", True)
    arbiter.num_workers = MOST_WORKERS
    arbiter.handle_ttin()
    arbiter.handle_usr2()

    assert arbiter.num_workers == MOST_WORKERS == SLOTS // 2
    assert "SIGTTIN is refused: 128 workers are the most" in caplog.text
    assert "SIGUSR2 is refused" in caplog.text


def test_what_fails_after_a_workers_end_is_logged(
    server: GunicornApplication, arbiter: DrainingArbiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_context: object) -> None:
        raise OSError(errno.EIO, "the disk is gone")

    monkeypatch.setattr(server, "_on_worker_exit", fail)
    worker = arbiter.worker_class(1, 1, [], server, 30, arbiter.cfg, arbiter.log)
    server._pre_fork(arbiter, worker)
    server._child_exit(arbiter, worker)
    worker.tmp.close()

    assert server._scoreboard.starting() == set()


def test_where_the_folder_is_gone_nothing_is_forked_and_the_next_look_makes_it_again(
    arbiter: DrainingArbiter, server: GunicornApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked"))
    shutil.rmtree(server._folder)
    pid = arbiter.spawn_worker()
    server._shared.maintain()

    assert pid == 0
    assert server._scoreboard.starting() == set()
    assert server._folder.is_dir()
