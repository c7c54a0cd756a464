import io
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from training.evaluation.metrics import ClassFigures, Evaluation
from training.evaluation.plots import draw_confusion


def evaluation(confusion: NDArray[np.int64]) -> Evaluation:
    correct, examples = int(confusion.diagonal().sum()), int(confusion.sum())
    classes = tuple(ClassFigures(f"kind of thing {place}", 1, 1.0, 1.0) for place in range(len(confusion)))
    rows = tuple(tuple(row) for row in confusion.tolist())
    return Evaluation("test", examples, "", correct, correct / examples, 0.0, 0.0, classes, rows)


def spread(classes: int) -> NDArray[np.int64]:
    """Fifty images a class, taken for anything: as busy as a picture can be."""
    taken = np.random.default_rng(1).integers(0, classes, (classes, 50))
    return np.stack([np.bincount(row, minlength=classes) for row in taken])


def pixels(chart: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(chart)).convert("RGB"))


@pytest.mark.parametrize("classes", [10, 26, 100, 1000])
def test_any_number_of_classes_gives_a_picture_for_a_screen(classes: int) -> None:
    chart = draw_confusion("net on the test split", evaluation(spread(classes)))

    height, width, _ = pixels(chart).shape
    assert 800 < height <= 1400
    assert 800 < width <= 1600
    assert len(chart) < 300_000


@pytest.mark.parametrize("classes", [100, 999])
def test_a_single_confusion_among_many_classes_can_be_seen(classes: int) -> None:
    right = np.eye(classes, dtype=np.int64) * 50
    confused = right.copy()
    confused[classes - 3, 3] = 25

    plain, marked = (pixels(draw_confusion("net", evaluation(matrix))) for matrix in (right, confused))

    height, width, _ = plain.shape
    lower_left = np.s_[height // 2 :, : width // 2]  # away from the title, which differs
    dark = (marked[lower_left] != plain[lower_left]).any(axis=-1)
    assert 9 <= dark.sum() < 2500  # one cell of the picture


def test_a_class_without_images_is_an_empty_row() -> None:
    confusion = np.array([[5, 1], [0, 0]])

    assert draw_confusion("net", evaluation(confusion)).startswith(b"\x89PNG")


def test_names_are_no_formulas() -> None:
    ruled = evaluation(np.eye(2, dtype=np.int64))
    dollars = tuple(ClassFigures(label, 1, 1.0, 1.0) for label in ("$\\frac{$", "5$ to 10$"))

    assert draw_confusion("net", replace(ruled, classes=dollars)).startswith(b"\x89PNG")
