"""Checkpoints: whole or not at all, for one run only, and a killed run that goes on ends as if it never had been."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from modelrepo.reader import read_bundle
from training.cli.main import main
from training.data.splits import Dataset
from training.engine.checkpoint import Checkpoint, Progress
from training.errors import InvalidCheckpoint
from training.evaluation.onnx_inference import open_graph

VALUES = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7)]
PROGRESS = Progress(2, 3.5, {"loss": [0.5, 0.25]})

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path / "run.npz", "this run")


def test_what_was_saved_is_loaded(checkpoint: Checkpoint) -> None:
    checkpoint.save(VALUES, PROGRESS)
    stored = checkpoint.load()

    assert stored is not None
    assert all(np.array_equal(loaded, saved) for loaded, saved in zip(stored[0], VALUES, strict=True))
    assert stored[1] == PROGRESS


def test_without_a_file_there_is_nothing_to_go_on_from(checkpoint: Checkpoint) -> None:
    assert checkpoint.load() is None


def test_a_failed_save_leaves_the_one_before(checkpoint: Checkpoint) -> None:
    checkpoint.save(VALUES, PROGRESS)
    before = checkpoint.path.read_bytes()

    with pytest.raises(ValueError, match="pickle"):
        checkpoint.save([np.array([object()])], PROGRESS)

    assert [path.name for path in checkpoint.path.parent.iterdir()] == ["run.npz"]
    assert checkpoint.path.read_bytes() == before


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-40], lambda _: b"", lambda _: b"text"], ids=["cut short", "empty", "text"]
)
def test_a_damaged_file_is_told_of(checkpoint: Checkpoint, damage: Callable[[bytes], bytes]) -> None:
    checkpoint.save(VALUES, PROGRESS)
    checkpoint.path.write_bytes(damage(checkpoint.path.read_bytes()))

    with pytest.raises(InvalidCheckpoint, match="delete it to start anew"):
        checkpoint.load()


def test_another_runs_state_is_refused(checkpoint: Checkpoint) -> None:
    checkpoint.save(VALUES, PROGRESS)

    with pytest.raises(InvalidCheckpoint, match="another recipe, seed or data"):
        Checkpoint(checkpoint.path, "another run").load()


def test_a_killed_run_goes_on_and_ends_as_if_never_killed(arrays: Path, tmp_path: Path, dataset: Dataset) -> None:
    command = ["train", "mnist", "--data", str(arrays), "--models", str(tmp_path / "models"), "--epochs", "40"]
    kept = tmp_path / "run.npz"
    resumable = [*command, "--checkpoint", str(kept)]

    kill_at_random(resumable, kept)
    main(resumable)
    main(command)

    killed, whole = (read_bundle(tmp_path / "models" / "mnist" / version) for version in "12")
    scores = [open_graph(bundle.model)(dataset.test.images) for bundle in (killed, whole)]
    assert np.array_equal(scores[0], scores[1])
    assert killed.metadata.training["history"] == whole.metadata.training["history"]
    assert not kept.exists()


def kill_at_random(command: list[str], kept: Path) -> None:
    """Start a run in a process of its own and kill it somewhere in its later epochs."""
    process = subprocess.Popen([sys.executable, "-m", "training", *command], cwd=ROOT, stdout=subprocess.DEVNULL)
    while not kept.exists():
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(np.random.default_rng().uniform(0, 1))
    assert process.poll() is None
    process.kill()
    process.wait()
