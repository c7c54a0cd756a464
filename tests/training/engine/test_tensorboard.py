from pathlib import Path

import pytest
import tensorflow as tf

from training.engine.distributed.strategy import Distribution
from training.engine.trainer import fit
from training.run import Run, build_network
from training.train import Course


def test_every_epoch_is_in_the_event_files(run: Run, tmp_path: Path) -> None:
    course = Course(tensorboard=tmp_path / "log")

    fitted = fit(build_network(run.recipe, "n"), run.recipe, run.dataset.train, 0, callbacks=course.callbacks())

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


def test_only_the_chief_writes(tmp_path: Path) -> None:
    class Other(Distribution):
        chief = False

    assert Course(Other(), tensorboard=tmp_path / "log").callbacks() == []


def read_scalars(folder: Path) -> dict[tuple[str, int], float]:
    """What TensorBoard would draw: the tensors that name its plugin for scalars, by name and step."""
    (file,) = folder.iterdir()
    records = tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
    events = [tf.compat.v1.Event.FromString(record) for record in records]
    values = [(event.step, value) for event in events for value in event.summary.value]
    assert {value.metadata.plugin_data.plugin_name for _, value in values} == {"scalars"}
    return {(value.tag, step): float(tf.make_ndarray(value.tensor)) for step, value in values}
