"""Shutdown and reload under difficulties: clients that stay connected, new workers that cannot start."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from preprocessing.png import encode_png
from tests.support.http.raw_client import RawConnection, Response, request, send_request
from tests.support.images.drawn import tiny_image
from tests.support.load.generator import failures, traffic
from tests.support.processes.service import ROOT, STOP_SECONDS, RunningService, read_counts, running, until

PREDICT = request("POST", "/predict", encode_png(tiny_image(1)))


def ask(connection: RawConnection, path: str) -> Response:
    """One question over a connection that stays open as long as the service wants."""
    connection.send(request("GET", path))
    return connection.response()


def test_in_the_drain_delay_everyone_is_served_and_sent_elsewhere(models: Path) -> None:
    with running(models, workers=2, drain_delay=1) as service, RawConnection(service.port) as early:
        before = ask(early, "/livez")
        begin_end(service)
        kept, new = ask(early, "/livez"), service.post("/predict", encode_png(tiny_image(1)))

        assert (before.headers["Connection"], kept.headers["Connection"]) == ("keep-alive", "close")
        assert (kept.status, new.status, new.headers["Connection"]) == (200, 200, "close")
        assert early.is_closed()
        assert service.process.wait(STOP_SECONDS) == 0


def begin_end(service: RunningService) -> None:
    """Send SIGTERM; returns when the service says that it is not ready, which is at once."""
    service.process.send_signal(signal.SIGTERM)
    until(lambda: service.get("/readyz").status == 503, "it is not ready", seconds=0.5)


def test_an_idle_client_that_speaks_after_the_listening_has_ended_is_still_answered(models: Path) -> None:
    with running(models, drain_timeout=3) as service, RawConnection(service.port) as idle:
        ask(idle, "/livez")
        service.process.send_signal(signal.SIGTERM)
        until(lambda: is_refused(service), "connections are refused")
        last = ask(idle, "/livez")

        assert (last.status, last.headers["Connection"]) == (200, "close")
        assert service.process.wait(STOP_SECONDS) == 0


def test_a_client_that_has_only_just_connected_is_answered_by_a_worker_that_leaves(models: Path) -> None:
    with running(models, drain_timeout=0) as service, RawConnection(service.port) as late:
        (worker,) = service.workers()
        service.get("/livez")  # who has connected before is accepted before
        os.kill(worker, signal.SIGTERM)
        time.sleep(0.05)  # in which a worker that hears nobody would have left
        response = ask(late, "/livez")

        assert (response.status, response.headers["Connection"]) == (200, "close")


def is_refused(service: RunningService) -> bool:
    """Whether new clients are."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", service.port)) == errno.ECONNREFUSED


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGQUIT], ids=lambda number: number.name)
def test_a_second_signal_ends_the_drain_delay(models: Path, second: signal.Signals) -> None:
    with running(models, drain_delay=15) as service:
        begin_end(service)
        begun = time.monotonic()
        service.process.send_signal(second)
        service.process.wait(STOP_SECONDS)

        assert time.monotonic() - begun < 3


def test_a_second_sigterm_changes_nothing(models: Path) -> None:
    with running(models, drain_delay=1) as service:
        begun = time.monotonic()
        for _ in range(2):
            begin_end(service)
        assert service.process.wait(STOP_SECONDS) == 0

        assert 1 <= time.monotonic() - begun < 4


def test_a_request_that_never_becomes_complete_does_not_outlive_the_grace_period(models: Path) -> None:
    with running(models, grace_period=1) as service, RawConnection(service.port) as connection:
        connection.send(PREDICT[:-1])
        time.sleep(0.1)
        begun = time.monotonic()
        service.stop()

        assert 1 <= time.monotonic() - begun < 4
        assert connection.is_closed()


def test_an_end_during_a_reload_loses_nothing(models: Path) -> None:
    with running(models, workers=2, drain_delay=0.3, drain_timeout=0.3) as service:
        with traffic(service.port, retry_refused=True) as load:
            time.sleep(0.2)
            service.process.send_signal(signal.SIGHUP)
            until(lambda: len(service.workers()) == 4, "the new workers are starting")
            begin_end(service)
            status = service.process.wait(STOP_SECONDS)

        assert status == 0
        assert failures(load.results) == []


def test_where_new_workers_cannot_start_the_old_ones_stay(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running(models, workers=2) as service:
        old = set(service.workers())
        with traffic(service.port) as load:
            obstacles = obstruct(tmp_path)
            service.process.send_signal(signal.SIGHUP)
            until(lambda: b"the old ones stay" in service.stderr.read_bytes(), "the reload has failed")
            time.sleep(1.5)  # in which the master looks after its workers
        stayed = set(service.workers())
        died = read_counts(service, "convserve_worker_deaths_total", "cause")
        for obstacle in obstacles:
            obstacle.rmdir()
        service.process.send_signal(signal.SIGHUP)
        until(lambda: old.isdisjoint(service.workers()) and service.serving() == 2, "a second reload succeeds")

    assert stayed == old
    assert died == {"signal": 0, "exit": 2, "timeout": 0, "memory": 0}
    assert failures(load.results) == []


def obstruct(temporary: Path) -> list[Path]:
    """Put something where the next two workers want to open a file."""
    (folder,) = temporary.glob("convserve-*")
    obstacles = [folder / f"statistics_{slot}.mmap" for slot in (2, 3)]
    for obstacle in obstacles:
        obstacle.mkdir()
    return obstacles


INHERIT = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "service"])
"""


def test_a_listening_socket_of_systemd_is_left_as_it_was(models: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, number = listener.getsockname()[1], listener.fileno()
        settings = {"CONVSERVE_MODELS": str(models), "CONVSERVE_WORKERS": "1", "CONVSERVE_DRAIN_DELAY": "0"}
        process = subprocess.Popen(
            [sys.executable, "-c", INHERIT, str(number)], pass_fds=[number], cwd=ROOT, env={**os.environ, **settings}
        )
        try:
            served = send_request(port, "GET", "/readyz").status
            process.terminate()
            status = process.wait(STOP_SECONDS)
        finally:
            process.kill()
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            listener.accept()[0].close()

    assert (served, status) == (200, 0)
