"""Start, overload and shutdown, as an operator sees them."""

import json
import os
import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image

from preprocessing.png import encode_png
from tests.support.http.raw_client import RawConnection, Response, request
from tests.support.images.drawn import as_file, tiny_image
from tests.support.processes.service import STOP_SECONDS, RunningService, running, start, stopped, until

PNG = encode_png(tiny_image(1))
PREDICT = request("POST", "/predict", PNG, content_type="image/png")
LARGE = as_file(Image.new("L", (7000, 7000)), "PNG")  # 47 kB that take a tenth of a second
HEAVY = request("POST", "/predict", LARGE)
PAGE = request("POST", "/predict", as_file(Image.new("L", (600, 600)), "PNG"))  # a few milliseconds, in the loop


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"prot": 8000}, "convserve cannot start: CONVSERVE_PROT is not a setting. Known are: "),
        ({"port": "http"}, "convserve cannot start: CONVSERVE_PORT must be a number, not 'http'"),
        ({"workers": 0}, "convserve cannot start: CONVSERVE_WORKERS must be from 1 to 64, not 0"),
    ],
    ids=["unknown name", "no number", "out of range"],
)
def test_a_bad_setting_stops_the_start_with_a_sentence(
    tmp_path: Path, settings: dict[str, object], sentence: str
) -> None:
    process = start(tmp_path / "stdout", tmp_path / "stderr", None, **settings)
    status = process.wait(STOP_SECONDS)

    said = (tmp_path / "stderr").read_text()
    assert status != 0
    assert said.startswith(sentence)
    assert said.count("\n") == 1


def test_a_port_that_is_taken_stops_the_start_without_a_traceback(tmp_path: Path, models: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(tmp_path / "stdout", tmp_path / "stderr", models=models, port=port, workers=1)
        status = process.wait(STOP_SECONDS)

    said = (tmp_path / "stderr").read_text()
    assert status != 0
    assert str(port) in said
    assert "Traceback" not in said


def test_a_request_in_flight_is_answered_before_the_end(models: Path) -> None:
    with running(models) as service, RawConnection(service.port) as connection, RawConnection(service.port) as watcher:
        connection.send(PREDICT[:-1])
        assert ready(watcher).status == 200
        service.process.send_signal(signal.SIGTERM)
        until(lambda: ready(watcher).status == 503, "the worker takes no more connections")
        connection.send(PREDICT[-1:])

        response = connection.response()

        assert (response.status, response.headers["Connection"]) == (200, "close")
        assert service.process.wait(STOP_SECONDS) == 0


def test_a_client_in_the_backlog_when_the_shutdown_began_is_answered_too(models: Path) -> None:
    with running(models, drain_timeout=2) as service:
        (worker,) = service.workers()
        with stopped(worker):
            connection = RawConnection(service.port)
            connection.send(PREDICT)
            os.kill(worker, signal.SIGTERM)

        with connection:
            assert connection.response().status == 200


@pytest.mark.parametrize(("path", "reason"), [("/readyz", b"shutting down"), ("/v2/health/ready", b"Server exiting")])
def test_a_client_that_keeps_its_connection_learns_that_the_service_is_ending(
    models: Path, path: str, reason: bytes
) -> None:
    with (
        running(models, drain_timeout=10) as service,
        RawConnection(service.port) as connection,
        RawConnection(service.port) as watcher,
    ):
        before = ready(connection, path)
        service.process.send_signal(signal.SIGTERM)
        until(lambda: ready(watcher).status == 503, "the service says that it is not ready", seconds=5)
        after = ready(connection, path)

        assert (before.status, after.status) == (200, 503)
        assert reason in after.body
        assert connection.is_closed()


def ready(connection: RawConnection, path: str = "/readyz") -> Response:
    """What is said to who asks for readiness over a connection that is open already."""
    connection.send(request("GET", path))
    return connection.response()


def test_the_end_leaves_nothing_behind(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running(models, workers=2) as service:
        during = [path.name for path in tmp_path.iterdir() if path.name.startswith("convserve-")]
        workers = service.workers()

        status = service.stop()

    assert len(during) == 1
    assert status == 0
    assert not any(path.name.startswith("convserve-") for path in tmp_path.iterdir())
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_the_runtime_reports_nothing_to_its_makers(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where ONNX Runtime would keep the identity that it reports under
    monkeypatch.delenv("CI", raising=False)  # under which it keeps none
    with running(models) as service:
        assert service.post("/predict", PNG).status == 200

    assert list(tmp_path.iterdir()) == []


def send_at_once(service: RunningService, first: RawConnection, second: RawConnection) -> None:
    """A heavy request and a light one that the only worker finds together, on connections that it already has."""
    for connection in (first, second):
        connection.send(request("GET", "/livez"))
        connection.response()
    with stopped(service.workers()[0]):
        first.send(HEAVY)
        second.send(PREDICT)


def test_too_many_waiting_requests_are_turned_away_with_a_time_to_come_back(models: Path) -> None:
    with (
        running(models, max_queue=1) as service,
        RawConnection(service.port) as heavy,
        RawConnection(service.port) as other,
    ):
        send_at_once(service, heavy, other)

        refusal = other.response()

        assert (refusal.status, refusal.json()["code"]) == (503, "overloaded")
        assert int(refusal.headers["Retry-After"]) >= 1
        assert heavy.response().status == 200
        other.send(PREDICT)
        assert other.response().status == 200


def test_a_full_queue_does_not_hide_that_the_service_lives(models: Path) -> None:
    with (
        running(models, max_queue=1) as service,
        RawConnection(service.port) as heavy,
        RawConnection(service.port) as other,
    ):
        for connection in (heavy, other):
            connection.send(request("GET", "/livez"))
            connection.response()
        with stopped(service.workers()[0]):
            heavy.send(HEAVY)
            other.send(request("GET", "/livez"))

        assert other.response().status == 200
        assert heavy.response().status == 200


def test_a_request_that_has_waited_too_long_is_not_computed_any_more(models: Path) -> None:
    with running(models, request_timeout=0.02) as service, ExitStack() as clients:
        first, *others, late = [clients.enter_context(RawConnection(service.port)) for _ in range(30)]
        for connection in (first, *others, late):
            connection.send(request("GET", "/livez"))
            connection.response()
        with stopped(service.workers()[0]):
            for connection in (first, *others):
                connection.send(PAGE)
            late.send(PREDICT)

        response = late.response()

        assert (response.status, response.json()["code"]) == (504, "deadline_exceeded")
        assert first.response().status == 200
        assert service.get("/livez").status == 200


def test_every_request_has_one_line_in_the_log(models: Path) -> None:
    with running(models) as service:
        service.post("/predict", PNG, x_request_id="mine")
        service.post("/predict", b"no image")
        service.get("/nowhere%0Athere")
        lines = [json.loads(line) for line in service.stdout.read_text().splitlines()]

    predicted, refused, lost = (line for line in lines if line["path"] not in ("/readyz", "/metrics"))
    assert predicted.items() >= {"model": "mnist", "version": 2, "label": "middle", "request_id": "mine"}.items()
    assert (predicted["status"], predicted["method"], predicted["bytes_in"]) == (200, "POST", len(PNG))
    assert (refused["status"], lost["status"], lost["path"]) == (400, 404, "/nowhere\nthere")


def test_people_can_read_the_log_as_text(models: Path) -> None:
    with running(models, log_format="text") as service:
        service.post("/predict", PNG)
        text = service.stdout.read_text()

    assert " 200 POST '/predict' " in text
    assert text.endswith(" mnist middle\n")


def test_the_time_from_start_to_ready_is_shown(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    with running(models, workers=2) as service:
        seconds = time.monotonic() - started
        assert service.get("/readyz").status == 200
    with capsys.disabled():
        print(f"\nready after {seconds:.2f} seconds")  # noqa: T201
