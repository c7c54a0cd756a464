"""The whole test split over HTTP: the served models give Keras's labels, image by image."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes.service import ROOT, running

pytestmark = pytest.mark.data


@pytest.mark.parametrize(
    ("model", "data"), [("mnist", "mnist.npz"), ("cifar10", "cifar10.tar.gz")], ids=["mnist", "cifar10"]
)
def test_every_test_image_gets_the_label_that_keras_gave_it(model: str, data: str, data_folder: Path) -> None:
    with running(ROOT / "models", workers=2) as service:
        url = f"http://127.0.0.1:{service.port}"
        options = ["--model", model, "--data", str(data_folder / data)]
        command = [sys.executable, "-m", "training", "verify", url, *options]
        evaluation = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert evaluation.returncode == 0, evaluation.stderr
    assert "10,000 images posted" in evaluation.stdout
    assert "label differs  0" in evaluation.stdout
