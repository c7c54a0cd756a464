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

History = Mapping[str, Sequence[float]]  # a figure's name to its value after each epoch

_GRID_COLUMNS = 10
_MARKED = 25  # epochs up to which each has a dot of its own


def draw_history(title: str, history: History) -> Figure:
    """Loss and accuracy by epoch, on the training and the validation images, and the learning rate where it changed."""
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
    """Images of the training split under their labels, a column a class where there are at most ten."""
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


def _draw_curves(axes: Axes, history: History, metric: str) -> None:
    """A metric's curves; a network that was not watched has the first one only."""
    _draw_curve(axes, history[metric], "o-", BLUE, "training")
    watched = history.get(f"val_{metric}")
    if watched:
        _draw_curve(axes, watched, "s--", ORANGE, "validation")
    axes.set_title(metric.capitalize())
    axes.legend(frameon=False)


def _draw_curve(axes: Axes, values: Sequence[float], style: str, colour: str, label: str | None = None) -> None:
    plain = style if len(values) <= _MARKED else style[1:]
    axes.plot(range(1, len(values) + 1), values, plain, color=colour, label=label)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


_COUNTED = 25  # classes up to which a cell has room for its count
_SLANTED = 12  # classes up to which slanted names do not run into each other
_NAMED = 120  # classes up to which every row and column has room for its name, in the smallest type that can be read
_CELLS = 250  # rows up to which a cell has some dots of the picture to itself
_TICKS = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1)  # of the colours, which follow the square root


def draw_confusion(title: str, evaluation: Evaluation) -> Figure:
    """What images of each class (rows) were taken for (columns), shaded by the row's share.

    Few classes have their counts written into the cells. With many, the colour has to tell, by the square root of the
    share, because what they are taken for is spread thinly; and hundreds share a cell with their neighbours.
    """
    labels = [figures.label for figures in evaluation.classes]
    many = len(labels) > _COUNTED
    block = math.ceil(len(labels) / _CELLS)
    counts = _gather(np.array(evaluation.confusion), block)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=_size(len(labels)), layout="constrained")
    axes = figure.subplots()
    edges = (-0.5, len(counts) * block - 0.5)
    image = axes.imshow(shares, cmap=SHADES, norm=PowerNorm(0.5 if many else 1, 0, 1), extent=(*edges, *edges[::-1]))
    axes.set_title(
        f"{title}\n{evaluation.correct:,} of {evaluation.examples:,} right: {evaluation.accuracy:.2%}",
        fontsize=13,
        fontweight="bold",
    )
    _name_classes(axes, labels, block)
    if many:
        figure.colorbar(image, shrink=0.5, format=PercentFormatter(1), label="of the row's images", ticks=_TICKS)
    else:
        _write_counts(axes, counts, shares)
    return figure


def _gather(counts: NDArray[np.int64], block: int) -> NDArray[np.int64]:
    """Counts summed up in squares of so many classes; the last ones may have fewer."""
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


def _name_classes(axes: Axes, labels: list[str], block: int) -> None:
    """Names beside rows and columns, or their numbers now and then where there are too many."""
    named = len(labels) <= _NAMED
    kind = "" if named else " (class number)" if block == 1 else f" (class number, {block} to a cell)"
    axes.set_xlabel(f"taken for{kind}")
    axes.set_ylabel(f"is{kind}")
    axes.tick_params(length=0 if named else 3)
    axes.spines[:].set_color(GREY)
    if named:
        size = 10 if len(labels) <= _COUNTED else 6
        turn = 0 if max(map(len, labels)) < 3 else 40 if len(labels) <= _SLANTED else 90
        axes.set_xticks(range(len(labels)), labels, rotation=turn, ha="center", fontsize=size, parse_math=False)
        axes.set_yticks(range(len(labels)), labels, fontsize=size, parse_math=False)  # a "$" is a "$"


def _write_counts(axes: Axes, counts: NDArray[np.int64], shares: NDArray[np.float64]) -> None:
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.5 else "black"
        if count:
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour, fontsize=9)
