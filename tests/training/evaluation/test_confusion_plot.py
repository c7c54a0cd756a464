"""The plot of the confusion matrix: its shares and counts, read from the figure, and its size on a screen."""

import io
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from training.evaluation.metrics import ClassMetrics, Evaluation
from training.evaluation.plots import draw_confusion
from training.plotting import as_png


def evaluation(confusion: NDArray[np.int64]) -> Evaluation:
    correct, examples = int(confusion.diagonal().sum()), int(confusion.sum())
    classes = tuple(ClassMetrics(f"kind of thing {place}", 1, 1.0, 1.0) for place in range(len(confusion)))
    rows = tuple(tuple(row) for row in confusion.tolist())
    return Evaluation("test", examples, "", correct, correct / examples, 0.0, 0.0, classes, rows)


def spread(classes: int) -> NDArray[np.int64]:
    """Fifty images a class, predicted at random."""
    predicted = np.random.default_rng(1).integers(0, classes, (classes, 50))
    return np.stack([np.bincount(row, minlength=classes) for row in predicted])


def pixels(plot: Figure) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(as_png(plot))).convert("RGB"))


def shares(plot: Figure) -> NDArray[np.float64]:
    """What the colors of the cells stand for: [rows, columns]."""
    return np.asarray(plot.axes[0].get_images()[0].get_array())


def test_a_cell_has_the_share_of_its_row_and_its_count() -> None:
    plot = draw_confusion("net", evaluation(np.array([[9, 1], [2, 2]])))

    assert shares(plot).tolist() == [[0.9, 0.1], [0.5, 0.5]]
    counts = {text.get_position(): text.get_text() for text in plot.axes[0].texts}
    assert counts == {(0, 0): "9", (1, 0): "1", (0, 1): "2", (1, 1): "2"}
    assert plot.axes[0].get_title() == "net\n11 of 14 right: 78.57%"
    assert (plot.axes[0].get_ylabel(), plot.axes[0].get_xlabel()) == ("true", "predicted")


def test_hundreds_of_classes_share_cells() -> None:
    plot = draw_confusion("net", evaluation(np.eye(1000, dtype=np.int64) * 5))

    assert shares(plot).shape == (250, 250)
    assert np.array_equal(shares(plot), np.eye(250))
    assert "4 to a cell" in plot.axes[0].get_xlabel()


@pytest.mark.parametrize("classes", [10, 26, 100, 1000])
def test_any_number_of_classes_gives_an_image_for_a_screen(classes: int) -> None:
    plot = draw_confusion("net on the test split", evaluation(spread(classes)))

    height, width, _ = pixels(plot).shape
    assert 800 < height <= 1400
    assert 800 < width <= 1600
    assert len(as_png(plot)) < 300_000


@pytest.mark.parametrize("classes", [100, 999])
def test_a_single_confusion_among_many_classes_can_be_seen(classes: int) -> None:
    right = np.eye(classes, dtype=np.int64) * 50
    confused = right.copy()
    confused[classes - 3, 3] = 25

    plain, marked = (pixels(draw_confusion("net", evaluation(matrix))) for matrix in (right, confused))

    height, width, _ = plain.shape
    lower_left = np.s_[height // 2 :, : width // 2]  # away from the title, which differs
    dark = (marked[lower_left] != plain[lower_left]).any(axis=-1)
    assert 9 <= dark.sum() < 2500  # one cell of the image


def test_a_class_without_images_is_an_empty_row() -> None:
    confusion = np.array([[5, 1], [0, 0]])

    assert shares(draw_confusion("net", evaluation(confusion)))[1].tolist() == [0, 0]


def test_names_are_no_formulas() -> None:
    ruled = evaluation(np.eye(2, dtype=np.int64))
    dollars = tuple(ClassMetrics(label, 1, 1.0, 1.0) for label in ("$\\frac{$", "5$ to 10$"))

    plot = draw_confusion("net", replace(ruled, classes=dollars))

    assert [label.get_text() for label in plot.axes[0].get_xticklabels()] == ["$\\frac{$", "5$ to 10$"]
    assert len(as_png(plot)) > 0  # Matplotlib reads a formula only when it draws it
