"""Bundles that crash, hang, grow or lie stop nothing: not the start, not a reload, not the end, and no prediction."""

import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from preprocessing.png import encode_png
from tests.support.bundles.bad_bundles import KINDS, hang, publish_bad
from tests.support.bundles.tiny import publish_tiny
from tests.support.http.raw_client import Response
from tests.support.images.drawn import tiny_image
from tests.support.processes.service import RunningService, started, until

PNG = encode_png(tiny_image(1))
TRIAL_PROCESS = b"service.lifecycle.trial_process"
SECONDS = 3.0  # for a start and for a reload
GRACE = 4.0  # for the end


@contextmanager
def listening(models: Path, **settings: object) -> Iterator[tuple[RunningService, float]]:
    """A service that listens, and when it was started; it need not be ready."""
    began = time.monotonic()
    with started(models, workers=2, **settings) as service:  # type: ignore[arg-type]
        yield service, began


def answers(service: RunningService, name: str, version: int) -> Callable[[], bool]:
    """Whether a version of a model answers."""

    def predict() -> bool:
        response = service.post(f"/models/{name}/predict", PNG, content_type="image/png")
        return response.status == 200 and response.json()["model_version"] == version

    return predict


def refusing(service: RunningService, bundle: str) -> Callable[[], dict[str, Any] | None]:
    """What /readyz says in a worker that has refused a bundle; None in one that has not, yet."""

    def ask() -> dict[str, Any] | None:
        document: dict[str, Any] = service.get("/readyz").json()
        return document if bundle in document["refused"] else None

    return ask


def trial_processes(service: RunningService) -> list[int]:
    """The trial process of a service and its forks, which are in its session."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and os.getsid(int(folder.name)) == service.process.pid:
                found += [int(folder.name)] * (TRIAL_PROCESS in (folder / "cmdline").read_bytes())
        except OSError:  # it has just ended
            continue
    return found


def as_models(n: int) -> tuple[str, int]:
    return f"bad{n:02}", 1


def as_versions(n: int) -> tuple[str, int]:
    return "mnist", n + 2


@pytest.mark.slow
@pytest.mark.parametrize("place", [as_models, as_versions])
def test_good_models_beside_fifty_bad_bundles_start_reload_and_stop_in_time(
    tmp_path: Path, place: Callable[[int], tuple[str, int]]
) -> None:
    models = tmp_path / "models"
    publish_tiny(models, "mnist", 1)
    publish_tiny(models, "zebra", 1)
    publish_bad(models, place, 50, seed=14)
    with listening(models, poll_interval=0.1) as (service, began):
        until(answers(service, "mnist", 1), "the first good model answers")
        until(answers(service, "zebra", 1), "the second one does")
        start = time.monotonic() - began
        published = time.monotonic()
        publish_tiny(models, "zebra", 2)
        until(answers(service, "zebra", 2), "its next version answers")
        reload = time.monotonic() - published
        service.process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        status = service.process.wait(20)
        end = time.monotonic() - told
        until(lambda: not trial_processes(service), "no trial is left", seconds=1)

    assert status == 0
    assert start < SECONDS
    assert reload < SECONDS
    assert end < GRACE


QUICK = {"hangs", "wrong results", "FIFO as graph"}  # `make prove` tries the other kinds, too


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind in QUICK else pytest.mark.slow) for kind in KINDS]
)
def test_a_bad_version_is_refused_and_the_good_one_serves(tmp_path: Path, kind: str) -> None:
    models = tmp_path / "models"
    publish_tiny(models, "mnist", 1)
    publish_bad(models, lambda _: ("mnist", 2), 1, seed=1, kinds=[kind])
    with listening(models, load_timeout=2) as (service, _):
        until(answers(service, "mnist", 1), "the good version answers")
        document = until(refusing(service, "mnist/2"), "the bad one is refused")
        workers = service.workers()

    assert document["ready"]
    assert str(tmp_path) not in document["refused"]["mnist/2"]
    assert len(workers) >= 2


def test_a_version_that_never_ends_is_loading_and_stops_nothing(tmp_path: Path) -> None:
    models = tmp_path / "models"
    publish_tiny(models, "mnist", 1)
    hang(models, "mnist", 2)
    hang(models, "other", 1)
    with listening(models) as (service, _):
        until(answers(service, "mnist", 1), "the good version answers")
        ready = service.get("/readyz")
        other = service.post("/models/other/predict", PNG, content_type="image/png")
        states = {row["version"]: row["state"] for row in service.get("/models/mnist").json()["versions"]}
        metrics = service.get("/metrics").body.decode()
        old = service.workers()
        service.reload()
        reloaded = service.post("/models/mnist/predict", PNG, content_type="image/png").status
        os.kill(service.workers()[0], signal.SIGKILL)
        until(lambda: len(set(service.workers()) - set(old)) >= 2, "another worker takes its place")
        until(lambda: len(trial_processes(service)) >= 2, "both are tried on")
        service.stop()
        until(lambda: not trial_processes(service), "no trial is left", seconds=1)

    assert ready.status == 503
    assert ready.json()["problems"][0].startswith("other version 1 has been loading for ")
    assert len(ready.json()["loading"]) == 2
    assert (other.status, other.json()["code"]) == (503, "not_ready")
    assert "it is loading" in other.json()["error"]
    assert states == {1: "READY", 2: "LOADING"}
    assert 'convserve_model_loading_since_seconds{model="mnist",version="2"} 1.' in metrics
    assert reloaded == 200


def test_an_order_to_load_what_never_ends_is_answered_in_time_and_blocks_no_other(tmp_path: Path) -> None:
    models, keys = tmp_path / "models", tmp_path / "admin.keys"
    keys.write_text(hashlib.sha256(b"key").hexdigest())
    publish_tiny(models, "mnist", 1)
    with listening(models, poll_interval=0, admin_keys=keys, request_timeout=3) as (service, _):
        until(answers(service, "mnist", 1), "the good version answers")
        hang(models, "endless", 1)
        publish_tiny(models, "good", 1)
        with ThreadPoolExecutor(1) as client:
            endless = client.submit(order, service, "endless")
            good = order(service, "good")
            answered = endless.done()
            refused = endless.result()
        until(lambda: service.get("/v2/models/good/ready").status == 200, "the other is served", seconds=1)

    assert (good.status, answered) == (200, False)
    assert refused.status == 503
    assert "'endless' is not yet loaded in every worker" in refused.json()["error"]


def order(service: RunningService, name: str) -> Response:
    return service.post(f"/v2/repository/models/{name}/load", b"", authorization="Bearer key")
