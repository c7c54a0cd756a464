"""The metrics follow Prometheus's conventions, as promtool checks them."""

import dataclasses
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from preprocessing.png import encode_png
from tests.support.bundles.policy import set_policy
from tests.support.bundles.tiny import publish_tiny, tiny_metadata
from tests.support.images.drawn import tiny_image
from tests.support.processes.service import RunningService, read_counts, running, until

PNG = encode_png(tiny_image(1))
SOME_OF_ALL = (  # of each kind of traffic one metric, or more
    "convserve_predictions_total",
    "convserve_abstained_total",
    "convserve_rejected_total",
    "convserve_prediction_failures_total",
    "convserve_shadow_comparisons_total",
    "convserve_model_load_failures_total",
    "convserve_model_load_seconds_count",
    "convserve_model_info",
)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool on the PATH")
def test_promtool_has_nothing_to_say_against_the_metrics(tmp_path: Path) -> None:
    publish_all(tmp_path)
    with running(tmp_path, workers=2) as service:
        send_all(service)
        until(lambda: has_all(service.get("/metrics").body), "every kind of traffic is counted")
        done = subprocess.run(
            ["promtool", "check", "metrics"], input=service.get("/metrics").body, capture_output=True, check=False
        )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def publish_all(models: Path) -> None:
    """A canary, a shadow, a model that always abstains, and a version that is refused."""
    for version in (1, 2, 3):
        publish_tiny(models, "mnist", version)
    set_policy(models, default=1, canary={"version": 2, "share": 0.5}, shadow={"version": 3, "share": 1})
    publish_tiny(models, "careful", output=dataclasses.replace(tiny_metadata("tiny").output, abstain_below=1.0))
    (publish_tiny(models, "mnist", 4) / "model.onnx").write_bytes(b"no graph")


def has_all(scraped: bytes) -> bool:
    return all(f"\n{name}{{".encode() in scraped for name in SOME_OF_ALL)


def send_all(service: RunningService) -> None:
    """Valid and invalid requests in every protocol, and a worker that crashes."""
    for _ in range(20):
        service.post("/predict", PNG)
    service.post("/models/careful/predict", PNG)
    service.post("/predict", b"no image")
    service.post("/v2/models/mnist/infer", b"{")
    service.post("/v1/models/mnist:predict", b"{}")
    service.get("/nowhere")
    os.kill(service.workers()[0], signal.SIGKILL)
    until(lambda: read_counts(service, "convserve_worker_deaths_total", "cause")["signal"] == 1, "the death is counted")
