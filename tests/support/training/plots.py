"""What is plotted, read from Matplotlib's figures and from PNG files."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D
from PIL import Image


def points(line: Line2D) -> list[list[float]]:
    """The points of a curve: [x, y] each."""
    return [[float(x), float(y)] for x, y in np.asarray(line.get_xydata())]


def values(line: Line2D) -> list[float]:
    """The y values of a curve."""
    return [y for _, y in points(line)]


def error_bars(axes: Axes) -> list[ErrorbarContainer]:
    """The points with an interval."""
    return [container for container in axes.containers if isinstance(container, ErrorbarContainer)]


def png_size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG file."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        return image.size
