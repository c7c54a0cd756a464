from pathlib import Path

import pytest
import tensorflow as tf

from training.data.splits import hold_out
from training.engine.distributed.strategy import Distribution
from training.run import Run
from training.train import TrainOptions, fit_model


def test_every_epoch_is_in_the_event_files(run: Run, tmp_path: Path) -> None:
    options = TrainOptions(tensorboard=tmp_path / "log")

    _, fitted = fit_model(run, *hold_out(run.dataset.train, 0.1, 1), options)

    history = fitted.history
    assert read_scalars(tmp_path / "log" / "train") == {
        ("epoch_loss", 0): pytest.approx(history["loss"][0]),
        ("epoch_accuracy", 0): pytest.approx(history["accuracy"][0]),
        ("epoch_learning_rate", 0): pytest.approx(run.recipe.learning_rate),
    }
    assert read_scalars(tmp_path / "log" / "validation") == {
        ("epoch_loss", 0): pytest.approx(history["val_loss"][0]),
        ("epoch_accuracy", 0): pytest.approx(history["val_accuracy"][0]),
    }


def test_only_the_chief_writes(run: Run, tmp_path: Path) -> None:
    class Other(Distribution):
        chief = False

    options = TrainOptions(Other(), tensorboard=tmp_path / "log")
    fit_model(run, *hold_out(run.dataset.train, 0.1, 1), options)

    assert not (tmp_path / "log").exists()


def read_scalars(folder: Path) -> dict[tuple[str, int], float]:
    """What TensorBoard would draw: the tensors that name its plugin for scalars, by name and step."""
    (file,) = folder.iterdir()
    records = tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
    events = [tf.compat.v1.Event.FromString(record) for record in records]
    values = [(event.step, value) for event in events for value in event.summary.value]
    assert {value.metadata.plugin_data.plugin_name for _, value in values} == {"scalars"}
    return {(value.tag, step): float(tf.make_ndarray(value.tensor)) for step, value in values}
