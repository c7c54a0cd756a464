"""Plots of a training run: its curves, a grid of a data set's images, and the confusion matrix."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from training.data.splits import Dataset
from training.evaluation.metrics import Evaluation
from training.plotting import BLUE, GREY, ORANGE, SHADES

History = Mapping[str, Sequence[float]]  # a metric's name to its value after each epoch

_GRID_COLUMNS = 10
_MARKED = 25  # epochs up to which each has a dot of its own

_COUNTED = 25  # classes up to which a cell has room for its count
_SLANTED = 12  # classes up to which slanted names do not run into each other
_NAMED = 120  # classes up to which every row and column has room for its name, in the smallest type that can be read
_CELLS = 250  # rows up to which a cell is at least a few dots large
_TICKS = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1)  # of the color bar, which follows the square root


def draw_history(title: str, history: History) -> Figure:
    """Loss and accuracy by epoch, on training and validation images, and the learning rate where it changed."""
    scheduled = len(set(history.get("learning_rate", ()))) > 1
    figure = Figure(figsize=(13.2 if scheduled else 9, 3.8), layout="constrained")
    figure.suptitle(title, fontsize=13, fontweight="bold", parse_math=False)
    loss, accuracy, *rest = figure.subplots(1, 3 if scheduled else 2)
    _draw_curves(loss, history, "loss")
    _draw_curves(accuracy, history, "accuracy")
    for axes in rest:
        _draw_curve(axes, history["learning_rate"], "o-", BLUE)
        axes.set_title("Learning rate")
    for axes in (loss, *rest):
        axes.set_ylim(bottom=0)
    accuracy.yaxis.set_major_formatter(PercentFormatter(1))
    return figure


def draw_grid(dataset: Dataset, rows: int = 6) -> Figure:
    """Images of the training split in columns, one a class, of the first ten classes."""
    columns = min(len(dataset.spec.class_names), _GRID_COLUMNS)
    figure = Figure(figsize=(columns * 1.05, rows * 1.05 + 0.6), layout="constrained")
    figure.suptitle(f"{dataset.spec.name}: {len(dataset.train):,} training images", fontweight="bold", parse_math=False)
    grid = figure.subplots(rows, columns, squeeze=False)
    for column in range(columns):
        chosen = np.flatnonzero(dataset.train.labels == column)[:rows]
        for row in range(rows):
            grid[row, column].set_axis_off()
        for row, position in enumerate(chosen):
            image = dataset.train.images[position]
            grid[row, column].imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255)
        grid[0, column].set_title(dataset.spec.class_names[column], fontsize=10, parse_math=False)  # a "$" is a "$"
    return figure


def draw_confusion(title: str, evaluation: Evaluation) -> Figure:
    """The confusion matrix: rows are true classes, columns predicted ones, shaded by the share of the row.

    The cells of up to 25 classes have their counts. With more, the color follows the square root of the share, because
    small shares would not be visible; and from 251 classes on, neighbours share a cell, so that cells are large enough.
    """
    names = [metrics.label for metrics in evaluation.classes]
    many = len(names) > _COUNTED
    block = math.ceil(len(names) / _CELLS)
    counts = _gather(np.array(evaluation.confusion), block)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=_size(len(names)), layout="constrained")
    axes = figure.subplots()
    edges = (-0.5, len(counts) * block - 0.5)
    image = axes.imshow(shares, cmap=SHADES, norm=PowerNorm(0.5 if many else 1, 0, 1), extent=(*edges, *edges[::-1]))
    axes.set_title(
        f"{title}\n{evaluation.correct:,} of {evaluation.examples:,} right: {evaluation.accuracy:.2%}",
        fontsize=13,
        fontweight="bold",
    )
    _name_classes(axes, names, block)
    if many:
        figure.colorbar(image, shrink=0.5, format=PercentFormatter(1), label="of the row's images", ticks=_TICKS)
    else:
        _write_counts(axes, counts, shares)
    return figure


def _draw_curves(axes: Axes, history: History, metric: str) -> None:
    """A metric's curves; without validation images there is only the first one."""
    _draw_curve(axes, history[metric], "o-", BLUE, "training")
    validation = history.get(f"val_{metric}")
    if validation:
        _draw_curve(axes, validation, "s--", ORANGE, "validation")
    axes.set_title(metric.capitalize())
    axes.legend(frameon=False)


def _draw_curve(axes: Axes, values: Sequence[float], style: str, color: str, label: str | None = None) -> None:
    plain = style if len(values) <= _MARKED else style[1:]
    axes.plot(range(1, len(values) + 1), values, plain, color=color, label=label)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _gather(counts: NDArray[np.int64], block: int) -> NDArray[np.int64]:
    """Counts summed over squares of `block` classes; the last square may have fewer."""
    padded = np.pad(counts, (0, -len(counts) % block))
    side = len(padded) // block
    gathered: NDArray[np.int64] = padded.reshape(side, block, side, block).sum(axis=(1, 3))
    return gathered


def _size(classes: int) -> tuple[float, float]:
    """Inches that so many rows need: 0.45 for a count, 0.11 for a name, and no more than a screen has."""
    if classes <= _COUNTED:
        side = max(7.2, 0.45 * classes)
        return side + 0.2, side
    side = max(8.5, min(11.5, 0.11 * classes))
    return side * 1.12, side


def _name_classes(axes: Axes, names: list[str], block: int) -> None:
    """Label rows and columns with class names, or with some class numbers where there are too many."""
    named = len(names) <= _NAMED
    kind = "" if named else " (class number)" if block == 1 else f" (class number, {block} to a cell)"
    axes.set_xlabel(f"predicted{kind}")
    axes.set_ylabel(f"true{kind}")
    axes.tick_params(length=0 if named else 3)
    axes.spines[:].set_color(GREY)
    if named:
        size = 10 if len(names) <= _COUNTED else 6
        turn = 0 if max(map(len, names)) < 3 else 40 if len(names) <= _SLANTED else 90
        axes.set_xticks(range(len(names)), names, rotation=turn, ha="center", fontsize=size, parse_math=False)
        axes.set_yticks(range(len(names)), names, fontsize=size, parse_math=False)  # a "$" is a "$"


def _write_counts(axes: Axes, counts: NDArray[np.int64], shares: NDArray[np.float64]) -> None:
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if shares[row, column] > 0.5 else "black"
        if count:
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=color, fontsize=9)
