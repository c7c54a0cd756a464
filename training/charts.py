"""Pictures of a training run, as PNG: the curves and a data set's images."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from training.canvas import BLUE, ORANGE, as_png
from training.checkpoint import History
from training.datasets import Dataset

_GRID_COLUMNS = 10
_MARKED = 25  # epochs up to which each has a dot of its own


def draw_history(title: str, history: History) -> bytes:
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
    return as_png(figure)


def draw_grid(dataset: Dataset, rows: int = 6) -> bytes:
    """Images of the training split under their labels, a column a class where there are at most ten."""
    columns = min(len(dataset.spec.labels), _GRID_COLUMNS)
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
        grid[0, column].set_title(dataset.spec.labels[column], fontsize=10, parse_math=False)  # a "$" is a "$"
    return as_png(figure)


def _draw_curves(axes: Axes, history: History, metric: str) -> None:
    """A metric's curves; a network that was not watched has the first one only."""
    _draw_curve(axes, history[metric], "o-", BLUE, "training")
    watched = history.get(f"val_{metric}")
    if watched:
        _draw_curve(axes, watched, "s--", ORANGE, "validation")
    axes.set_title(metric.capitalize())
    axes.legend(frameon=False)


def _draw_curve(axes: Axes, values: list[float], style: str, colour: str, label: str | None = None) -> None:
    plain = style if len(values) <= _MARKED else style[1:]
    axes.plot(range(1, len(values) + 1), values, plain, color=colour, label=label)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
