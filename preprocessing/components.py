"""Connected components of a mask, by its runs: what touches along a row, and from row to row, is one component.

And the neighborhoods of pixels: the highest or lowest value in windows.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]  # [height, width]
Indices = NDArray[np.intp]
Value = TypeVar("Value", bound=np.generic)


@dataclass(frozen=True)
class Components:
    """The components of a mask; arrays are one number a run, or one a component, as their names say."""

    shape: tuple[int, int]
    run_start: Indices  # in rows that are one pixel wider than the mask, so that no run goes on in the next row
    run_end: Indices
    run_component: Indices
    area: NDArray[np.float64]
    box: Indices  # [components, 4]: left, top, right, bottom

    def mask_of(self, chosen: list[int]) -> Mask:
        """The pixels of some components."""
        kept = np.zeros(len(self.area), np.bool_)
        kept[chosen] = True
        runs = kept[self.run_component]
        height, stride = self.shape[0], self.shape[1] + 1
        steps = np.zeros(height * stride + 1, np.int8)
        steps[self.run_start[runs]] = 1
        steps[self.run_end[runs]] -= 1
        return np.cumsum(steps[:-1], dtype=np.int8).astype(np.bool_).reshape(height, stride)[:, :-1]

    def count(self, rows: Indices, columns: Indices, weights: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """How many of these pixels, all of which are in the mask, each component has."""
        runs = np.searchsorted(self.run_start, rows * (self.shape[1] + 1) + columns, "right") - 1
        return np.bincount(self.run_component[runs], weights, len(self.area)).astype(np.float64)


def find_components(mask: Mask) -> Components:
    """The components of the pixels that are true; pixels that touch at a corner belong together."""
    height, width = mask.shape
    stride = width + 1
    padded = np.zeros(height * stride + 1, np.bool_)
    padded[1:].reshape(height, stride)[:, :-1] = mask
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    start, end = changes[::2], changes[1::2]
    roots, component = np.unique(_join(len(start), *_neighbors(start, end, stride)), return_inverse=True)
    row = start // stride
    box = np.empty((len(roots), 4), np.intp)
    box[:, :2], box[:, 2:] = max(height, width), 0
    np.minimum.at(box[:, 0], component, start - row * stride)
    np.minimum.at(box[:, 1], component, row)
    np.maximum.at(box[:, 2], component, end - row * stride)
    np.maximum.at(box[:, 3], component, row + 1)
    area = np.bincount(component, end - start, len(roots)).astype(np.float64)
    return Components((height, width), start, end, component, area, box)


def _neighbors(start: Indices, end: Indices, stride: int) -> tuple[Indices, Indices]:
    """Pairs of runs that touch: a run, and one in the row below."""
    first = np.searchsorted(end, start + stride, "left")
    count = np.maximum(np.searchsorted(start, end + stride, "right") - first, 0)
    above = np.repeat(np.arange(len(start)), count)
    below = np.arange(len(above)) - np.repeat(np.cumsum(count) - count - first, count)
    return above, below


def _join(count: int, one: Indices, other: Indices) -> Indices:
    """The smallest number that each of `count` runs is connected with; every round halves the way there, or more."""
    label = np.arange(count)
    while True:
        a, b = label[one], label[other]
        if np.array_equal(a, b):
            return label
        lower = np.minimum(a, b)
        np.minimum.at(label, a, lower)
        np.minimum.at(label, b, lower)
        while not np.array_equal(label, shorter := label[label]):
            label = shorter


def slide(pick: np.ufunc, values: NDArray[np.uint8], window: int) -> NDArray[np.uint8]:
    """The highest or lowest value of each square window that fits, by windows of twice the length in each step."""
    covered = 1
    while covered < window:
        step = min(covered, window - covered)
        values = pick(values[:-step], values[step:])
        values = pick(values[:, :-step], values[:, step:])
        covered += step
    return values


def border(values: NDArray[Value]) -> NDArray[Value]:
    """The pixels at the four sides, those at the corners twice: [n] of [height, width], [n, channels] of more axes."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def grow(mask: Mask) -> Mask:
    """With all neighbors of its pixels."""
    return slide(np.logical_or, surround(mask.view(np.uint8), 1), 3).view(np.bool_)


def quantile(values: NDArray[np.uint8], share: float) -> int:
    """The value that this share of all does not exceed."""
    return int(np.searchsorted(np.cumsum(np.bincount(values.ravel(), minlength=256)), share * values.size))


def spread(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Highest less lowest value within five by five pixels."""
    return slide(np.maximum, surround(levels, 2), 5) - slide(np.minimum, surround(levels, 2, 255), 5)


def surround(values: NDArray[np.uint8], width: int, level: int = 0) -> NDArray[np.uint8]:
    """The values with a frame of one level around them."""
    height, across = values.shape
    framed = np.full((height + 2 * width, across + 2 * width), level, np.uint8)
    framed[width : width + height, width : width + across] = values
    return framed
