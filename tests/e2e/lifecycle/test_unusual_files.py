"""Pipes, devices, links and endless files in the repository of a running service: refused at once, the rest served."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from preprocessing.png import encode_png
from tests.support.bundles.copies import copy_bundle
from tests.support.bundles.tiny import publish_tiny
from tests.support.images.drawn import tiny_image
from tests.support.processes.service import STOP_SECONDS, refusals, running, until

POLL = 0.05
PNG = encode_png(tiny_image(1))


def pipe(name: str) -> Callable[[Path], None]:
    def damage(bundle: Path) -> None:
        (bundle / name).unlink(missing_ok=True)
        os.mkfifo(bundle / name)

    return damage


def device(name: str) -> Callable[[Path], None]:
    def damage(bundle: Path) -> None:
        (bundle / name).unlink()
        (bundle / name).symlink_to("/dev/zero")

    return damage


def huge_metadata(bundle: Path) -> None:
    document = json.loads((bundle / "metadata.json").read_text())
    document["training"] = {"rows": [[0.5] * 20] * 400_000}
    (bundle / "metadata.json").write_text(json.dumps(document))


DAMAGE = {
    1: (pipe("metadata.json"), "metadata.json is a pipe"),
    2: (pipe("model.onnx"), "model.onnx is a pipe"),
    3: (pipe("golden/00.png"), "golden/00.png is a pipe"),
    4: (pipe("golden/golden.json"), "golden/golden.json is a pipe"),
    5: (device("metadata.json"), "metadata.json is a link out"),
    6: (device("model.onnx"), "model.onnx is a link out"),
    7: (huge_metadata, "more than the 4,194,304"),
}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A good model, and one of which every version is no good."""
    root = tmp_path / "models"
    good = publish_tiny(root, "mnist", 1)
    for version, (damage, _) in DAMAGE.items():
        copy_bundle(good, root / "odd" / str(version), damage)
    return root


def test_every_one_is_refused_with_its_reason_and_the_good_model_served(models: Path) -> None:
    policy = {"models": {"odd": {"versions": [*sorted(DAMAGE), 8]}}}
    (models / "serving.json").write_text(json.dumps(policy))
    publish_tiny(models, "odd", 8)
    with running(models, workers=2, poll_interval=POLL) as service:
        reasons = until(
            lambda: found if len(found := refusals(service)) == len(DAMAGE) else None, "all are tried in a worker"
        )

        assert service.post("/predict", PNG, content_type="image/png").json()["model_version"] == 1
        for version, (_, sentence) in DAMAGE.items():
            assert sentence in reasons[f"odd/{version}"]


def test_a_pipe_in_place_of_the_policy_holds_nothing_up(tmp_path: Path) -> None:
    root = tmp_path / "models"
    publish_tiny(root, "mnist", 1)
    os.mkfifo(root / "serving.json")
    with running(root, workers=2, poll_interval=POLL) as service:
        sentence = refusals(service)["serving.json"]
        publish_tiny(root, "mnist", 2)
        until(lambda: service.get("/models/mnist").json()["versions"][-1]["version"] == 2, "the folder is followed")
        service.reload()
        started = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        status = service.process.wait(STOP_SECONDS)

    assert sentence == "serving.json is a pipe, not a file; no policy is followed"
    assert (status, time.monotonic() - started < 10) == (0, True)
