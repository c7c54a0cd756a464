"""Processes that train together; all `slow`, as each process loads TensorFlow, which takes minutes on busy cores."""

import json
from pathlib import Path

import numpy as np
import pytest

from modelrepo.reader import read_bundle
from tests.support.training.cluster import run_together
from tests.support.training.cluster_worker import train_once
from tests.training.conftest import draw_dataset, save_arrays
from training.data.specs import MNIST
from training.engine.distributed.strategy import Distribution

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_arrays(draw_dataset(MNIST), tmp_path_factory.mktemp("data") / "digits.npz")


@pytest.fixture(scope="module")
def together(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of two processes that train together; in a second training one of them exits (see `cluster_worker`)."""
    folder = tmp_path_factory.mktemp("together")
    chief, other = run_together(2, "-m", "tests.support.training.cluster_worker", str(data), str(folder))
    assert (chief.returncode, other.returncode) == (0, 3), chief.stderr + other.stderr
    return folder


def test_two_processes_train_the_weights_that_one_does(together: Path, data: Path) -> None:
    network, _ = train_once(data, Distribution())

    pairs = zip(network.get_weights(), read_weights(together / "0.npz"), strict=True)
    # Sums in another order: some 1e-8.
    assert max(np.abs(alone - shared).max() for alone, shared in pairs) < 1e-5


def test_both_processes_have_the_same_weights_to_the_last_bit(together: Path) -> None:
    pairs = zip(read_weights(together / "0.npz"), read_weights(together / "1.npz"), strict=True)

    assert all(np.array_equal(first, second) for first, second in pairs)


def test_only_the_chief_evaluates_the_validation_images(together: Path) -> None:
    chief, other = (json.loads((together / f"{index}.json").read_text()) for index in range(2))

    assert "val_loss" in chief
    assert "val_loss" not in other
    assert chief["loss"] == other["loss"]


def test_a_lost_process_ends_the_training_with_a_plain_error(together: Path) -> None:
    assert "another process is gone" in (together / "lost.txt").read_text()


def test_three_processes_publish_one_model(tmp_path: Path) -> None:
    data = save_arrays(draw_dataset(MNIST), tmp_path / "digits.npz")
    models = tmp_path / "models"
    command = ("-m", "training", "train", "mnist", "--epochs", "1", "--data", str(data), "--models", str(models))

    chief, *others = run_together(3, *command)

    assert chief.returncode == 0, chief.stderr
    assert [(other.returncode, other.stdout) for other in others] == [(0, ""), (0, "")]
    assert read_bundle(models / "mnist" / "1").metadata.training["workers"] == 3


def read_weights(path: Path) -> list[np.ndarray]:
    with np.load(path) as stored:
        return [stored[name] for name in stored.files]
