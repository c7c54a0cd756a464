"""The whole command in several processes: `make prove`, because each process loads TensorFlow and one exports."""

from pathlib import Path

from modelrepo.reader import read_bundle
from tests.support.processes_together import run_together
from tests.training.conftest import draw_dataset, save_arrays
from training.datasets import MNIST


def prove_three_processes_publish_one_model(tmp_path: Path) -> None:
    data = save_arrays(draw_dataset(MNIST), tmp_path / "digits.npz")
    models = tmp_path / "models"
    command = ("-m", "training", "train", "mnist", "--epochs", "1", "--data", str(data), "--models", str(models))

    chief, *others = run_together(3, *command)

    assert chief.returncode == 0, chief.stderr
    assert [(other.returncode, other.stdout) for other in others] == [(0, ""), (0, "")]
    assert read_bundle(models / "mnist" / "1").metadata.training["workers"] == 3
