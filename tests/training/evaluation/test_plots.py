"""The plots of a training run: what is plotted, read from the figures; and the PNG files that they become."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.support.training.plots import points, values
from training.data.splits import Dataset
from training.evaluation.metrics import evaluate
from training.evaluation.plots import draw_confusion, draw_grid, draw_history
from training.plotting import as_png

CURVES = {name: [0.3, 0.2] for name in ("loss", "val_loss", "accuracy", "val_accuracy")}


def test_every_plot_is_a_png_of_a_readable_size(dataset: Dataset) -> None:
    evaluation = evaluate(np.full((40, 10), 0.1, np.float32), dataset.test, dataset.spec.class_names)

    plots = [draw_history("digits", CURVES), draw_confusion("digits", evaluation), draw_grid(dataset)]

    for plot in plots:
        image = Image.open(io.BytesIO(as_png(plot)))
        assert image.format == "PNG"
        assert min(image.size) > 400


def test_the_history_has_the_curves_of_loss_and_accuracy_by_epoch() -> None:
    history = {
        "loss": [3.0, 2, 1],
        "val_loss": [4.0, 3, 2],
        "accuracy": [0.5, 0.7, 0.8],
        "val_accuracy": [0.4, 0.6, 0.7],
    }

    loss, accuracy = draw_history("digits", history).axes

    assert [(axes.get_title(), axes.get_xlabel()) for axes in (loss, accuracy)] == [
        ("Loss", "epoch"),
        ("Accuracy", "epoch"),
    ]
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        training, validation = axes.get_lines()
        assert points(training) == [[epoch, value] for epoch, value in enumerate(history[name], 1)]
        assert values(validation) == history[f"val_{name}"]
        assert [line.get_label() for line in (training, validation)] == ["training", "validation"]


def test_a_schedule_of_the_learning_rate_is_a_third_panel() -> None:
    *_, rate = draw_history("digits", {**CURVES, "learning_rate": [0.1, 0.05]}).axes

    assert rate.get_title() == "Learning rate"
    assert values(rate.get_lines()[0]) == [0.1, 0.05]
    assert len(draw_history("digits", {**CURVES, "learning_rate": [0.1, 0.1]}).axes) == 2


@pytest.mark.parametrize("missing", [["val_loss"], ["val_accuracy"], ["val_loss", "val_accuracy"]])
def test_a_metric_without_validation_has_one_curve(missing: list[str]) -> None:
    loss, accuracy = draw_history("digits", {name: CURVES[name] for name in CURVES if name not in missing}).axes

    assert len(loss.get_lines()) == 2 - ("val_loss" in missing)
    assert len(accuracy.get_lines()) == 2 - ("val_accuracy" in missing)


def test_few_epochs_have_dots_and_many_are_a_line() -> None:
    few, many = (draw_history("digits", {name: [0.3, 0.2] * n for name in CURVES}).axes[0] for n in (1, 100))

    assert [line.get_marker() for line in few.get_lines()] == ["o", "s"]
    assert [line.get_marker() for line in many.get_lines()] == ["None", "None"]


def test_the_grid_has_images_of_each_class_under_its_label(dataset: Dataset) -> None:
    figure = draw_grid(dataset, rows=2)

    columns, labels = len(dataset.spec.class_names), dataset.train.labels
    assert [axes.get_title() for axes in figure.axes[:columns]] == list(dataset.spec.class_names)
    for place, axes in enumerate(figure.axes):
        row, column = divmod(place, columns)
        shown = np.asarray(axes.get_images()[0].get_array())
        assert np.array_equal(shown, dataset.train.images[np.flatnonzero(labels == column)[row]].squeeze())


@pytest.mark.parametrize("name", ["$5_$", "$"])
def test_dollars_in_names_are_no_formulas(dataset: Dataset, name: str) -> None:
    spec = replace(dataset.spec, name=name, class_names=(name, *dataset.spec.class_names[1:]))

    history, grid = draw_history(name, CURVES), draw_grid(replace(dataset, spec=spec))

    assert history.get_suptitle() == name
    assert grid.axes[0].get_title() == name
    assert len(as_png(history)) > 0  # Matplotlib reads a formula only when it draws it
    assert len(as_png(grid)) > 0
