"""The application does not depend on our own server: gunicorn's gthread worker runs it as well."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.bundles.tiny import publish_tiny
from tests.support.http.raw_client import send_request
from tests.support.processes.service import ROOT, free_port, until

PNG = (ROOT / "docs" / "images" / "digit.png").read_bytes()


@dataclass(frozen=True)
class Gthread:
    """Where gunicorn listens, and the file that takes what the application prints."""

    port: int
    stdout: Path


@pytest.fixture(scope="module")
def gthread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gthread]:
    """The tiny model served by gunicorn's gthread worker."""
    folder = tmp_path_factory.mktemp("gthread")
    publish_tiny(folder / "models", "mnist", 1)
    port, stdout, stderr = free_port(), folder / "stdout", folder / "stderr"
    application = "bench.wsgi_application:build()"
    options = ["--worker-class", "gthread", "--threads", "2", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    (folder / "admin.keys").write_text(hashlib.sha256(b"key").hexdigest())
    places = {"CONVSERVE_MODELS": str(folder / "models"), "CONVSERVE_ADMIN_KEYS": str(folder / "admin.keys")}
    places |= {"TMPDIR": str(folder), "HOME": str(folder)}
    with stdout.open("wb") as out, stderr.open("wb") as err:
        command = [sys.executable, "-m", "gunicorn", *options, application]
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **places}, stdout=out, stderr=err)
    try:
        until(lambda: b"Listening at" in stderr.read_bytes(), "gunicorn listens")
        yield Gthread(port, stdout)
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("content_type", ["image/png", "application/x-www-form-urlencoded"])
def test_gthread_answers_predictions(gthread: Gthread, content_type: str) -> None:
    response = send_request(gthread.port, "POST", "/predict", PNG, **{"Content-Type": content_type})

    document = json.loads(response.body)
    assert response.status == 200
    assert document["model_name"] == "mnist"
    assert len(document["predictions"]) == 1


def test_gthread_answers_errors_in_the_same_form(gthread: Gthread) -> None:
    response = send_request(gthread.port, "POST", "/predict", b"no image", **{"Content-Type": "image/png"})

    assert response.status == 400
    assert json.loads(response.body)["code"] == "invalid_image"


def test_gthread_answers_a_scrape(gthread: Gthread) -> None:
    assert b"convserve_predictions_total" in send_request(gthread.port, "GET", "/metrics", b"").body


def test_the_access_log_is_written(gthread: Gthread) -> None:
    send_request(gthread.port, "POST", "/predict", PNG)

    assert json.loads(gthread.stdout.read_text().splitlines()[-1])["path"] == "/predict"


def test_gthread_says_that_it_cannot_load_a_model(gthread: Gthread) -> None:
    path = "/v2/repository/models/mnist/load"
    response = send_request(gthread.port, "POST", path, b"", Authorization="Bearer key")

    assert response.status == 503
    assert "run python -m service" in json.loads(response.body)["error"]
