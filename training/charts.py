"""Pictures of a training run, as PNG: the curves, the confusion matrix and a data set's images.

Matplotlib through its objects and the Agg canvas, without `pyplot`, which keeps every figure alive in a global.
"""

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from training.checkpoint import History
from training.datasets import Dataset
from training.evaluation import Evaluation

_DPI = 120
_BLUE, _ORANGE, _GREY = "#1f5fa8", "#e07b1a", "#5f6b76"  # tell apart for every kind of colour vision
_SHADES = LinearSegmentedColormap.from_list("shades", ["#ffffff", "#a9c9ec", _BLUE, "#0d2c54"])
_GRID_COLUMNS = 10
_LEGIBLE = 30  # classes; of more, the matrix shows shades alone and the classes' numbers


def draw_history(title: str, history: History) -> bytes:
    """Loss and accuracy by epoch, on the training and, where there are any, on the validation images."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    figure.suptitle(title, fontsize=13, fontweight="bold")
    left, right = figure.subplots(1, 2)
    _draw_curves(left, "Loss", history["loss"], history.get("val_loss"))
    _draw_curves(right, "Accuracy", history["accuracy"], history.get("val_accuracy"))
    left.set_ylim(bottom=0)
    right.yaxis.set_major_formatter(PercentFormatter(1))
    return _png(figure)


def draw_confusion(title: str, evaluation: Evaluation) -> bytes:
    """What images of each class (rows) were taken for (columns), with counts, shaded by the row's share."""
    counts = np.array(evaluation.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    labels = [figures.label.replace("$", r"\$") for figures in evaluation.classes]
    figure = Figure(figsize=(7.4, 7.2), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap=_SHADES, vmin=0, vmax=1)
    axes.set_title(
        f"{title}\n{evaluation.correct:,} of {evaluation.examples:,} right: {evaluation.accuracy:.2%}",
        fontsize=13,
        fontweight="bold",
    )
    legible = len(labels) <= _LEGIBLE
    if legible:
        axes.set_xticks(range(len(labels)), labels, rotation=0 if max(map(len, labels)) < 3 else 40, ha="center")
        axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("taken for")
    axes.set_ylabel("is")
    axes.tick_params(length=0)
    axes.spines[:].set_color(_GREY)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.5 else "black"
        if count and legible:
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour, fontsize=9)
    return _png(figure)


def draw_grid(dataset: Dataset, rows: int = 6) -> bytes:
    """Images of the training split under their labels, a column a class where there are at most ten."""
    columns = min(len(dataset.spec.labels), _GRID_COLUMNS)
    figure = Figure(figsize=(columns * 1.05, rows * 1.05 + 0.6), layout="constrained")
    figure.suptitle(f"{dataset.spec.name}: {len(dataset.train):,} training images", fontweight="bold")
    grid = figure.subplots(rows, columns, squeeze=False)
    for column in range(columns):
        chosen = np.flatnonzero(dataset.train.labels == column)[:rows]
        for row in range(rows):
            grid[row, column].set_axis_off()
        for row, position in enumerate(chosen):
            image = dataset.train.images[position]
            grid[row, column].imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255)
        grid[0, column].set_title(dataset.spec.labels[column], fontsize=10, parse_math=False)
    return _png(figure)


def _draw_curves(axes: Axes, name: str, learned: list[float], watched: list[float] | None) -> None:
    epochs = range(1, len(learned) + 1)
    axes.plot(epochs, learned, "o-", color=_BLUE, label="training")
    if watched is not None:
        axes.plot(epochs, watched, "s--", color=_ORANGE, label="validation")
    axes.set_title(name)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(buffer, dpi=_DPI, format="png")
    return buffer.getvalue()
