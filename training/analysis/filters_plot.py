"""The plot of a first convolution: its filters, and an image's activation maps, in the same order."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from training.analysis.filters import FirstConvolution, Values
from training.data.splits import Images
from training.plotting import GREY

_TILE = 0.84  # share of a cell of the grid; the rest is for the gap and the number
_SIGNED = "RdBu_r"  # red above zero, blue below, white at it
_POSITIVE = "magma"  # black for zero


def draw_filters(title: str, layer: FirstConvolution, order: str | None, image: Images | None = None) -> Figure:
    """The filters and, if an image is given, the image and its activation maps.

    `order` is "bgr" where the graph takes blue first. Filters over three channels are drawn as RGB images, each scaled
    by its own largest absolute weight: zero is gray. Others are drawn in colors of one scale, with zero in its middle.
    """
    columns = 8 if len(layer.filters) <= 64 else 16
    height = 8.2 * math.ceil(len(layer.filters) / columns) / columns  # inches of the grid; 0.7 more are for the titles
    figure = Figure(figsize=(9.6, height + 0.7 if image is None else 1.8 * height + 1.2), layout="constrained")
    figure.suptitle(title, fontsize=13, fontweight="bold", parse_math=False)
    if image is None:
        _draw_filters(figure.subplots(), layer.filters, order, columns)
        return figure
    places = figure.subplot_mosaic(
        [["filters", "filters"], ["image", "maps"]], width_ratios=[1, 6], height_ratios=[1, 0.8]
    )
    _draw_filters(places["filters"], layer.filters, order, columns)
    _draw_image(places["image"], image)
    _draw_maps(places["maps"], layer, columns)
    return figure


def _draw_filters(axes: Axes, filters: Values, order: str | None, columns: int) -> None:
    count, channels, height, width = filters.shape
    what = f"{count} filters of {height}×{width}"
    if channels == 3:
        axes.set_title(f"{what} in color: gray is 0, each scaled by its own largest weight", fontsize=10)
        _draw_tiles(axes, _to_rgb(filters[:, ::-1] if order == "bgr" else filters), columns)
        return
    axes.set_title(what if channels == 1 else f"{what}, each the mean over its {channels} channels", fontsize=10)
    planes = filters.mean(axis=1)
    image = _draw_tiles(axes, planes, columns, cmap=_SIGNED, norm=_signed(planes))
    axes.figure.colorbar(image, ax=axes, aspect=30, pad=0.01, label="weight")


def _draw_image(axes: Axes, image: Images) -> None:
    axes.set_title("the image", fontsize=10)
    axes.set_anchor("N")
    axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()


def _draw_maps(axes: Axes, layer: FirstConvolution, columns: int) -> None:
    count, height, width = layer.maps.shape
    behind = "before any activation" if layer.activation is None else f"after {layer.activation}"
    axes.set_title(f"{count} activation maps of {height}×{width}, {behind}", fontsize=10)
    signed = layer.maps.min() < 0
    norm = _signed(layer.maps) if signed else Normalize(0, layer.maps.max() or 1)
    image = _draw_tiles(axes, layer.maps, columns, cmap=_SIGNED if signed else _POSITIVE, norm=norm)
    axes.figure.colorbar(image, ax=axes, aspect=30, pad=0.01, label="activation")


def _draw_tiles(axes: Axes, tiles: Iterable[NDArray[Any]], columns: int, **shading: Any) -> AxesImage:
    """Draw tiles with their numbers in a grid, row by row; returns the last one, for the color bar."""
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        height, width = (_TILE * side / max(tile.shape[:2]) for side in tile.shape[:2])
        image = axes.imshow(
            tile, extent=(column, column + width, row + height, row), interpolation="nearest", **shading
        )
        axes.add_patch(Rectangle((column, row), width, height, fill=False, edgecolor=GREY, linewidth=0.4))
        axes.text(column, row - 0.02, str(place), fontsize=6, color=GREY, va="bottom")
    axes.set_xlim(0, columns)
    axes.set_ylim(row + 0.9, -0.16)
    axes.set_anchor("N")
    axes.set_axis_off()
    return image


def _to_rgb(filters: Values) -> Values:
    """[filters, height, width, RGB] from 0 to 1, with 0.5 for a weight of zero."""
    largest = np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    scaled = 0.5 + filters / np.where(largest > 0, largest, 1) / 2
    return np.asarray(scaled.transpose(0, 2, 3, 1), np.float32)


def _signed(values: Values) -> Normalize:
    """A scale with zero in its middle, for all values."""
    largest = float(np.abs(values).max()) or 1.0
    return Normalize(-largest, largest)
