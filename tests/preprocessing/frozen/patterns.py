"""Pictures made of whole numbers only, so that every machine and every release of NumPy makes the same ones."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]  # [height, width]
Pixels = NDArray[np.uint8]  # [height, width, channels]
Point = tuple[int, int]  # x, y
Path = Sequence[Point]

# Strokes on a page of 90 × 120, in pixels.
SEVEN: tuple[Path, ...] = (((20, 25), (70, 25), (38, 98)),)
FOUR: tuple[Path, ...] = (((25, 20), (18, 62), (72, 62)), ((58, 35), (55, 102)))
DASH: tuple[Path, ...] = (((30, 60), (60, 60)),)


def gray(height: int, width: int, seed: int = 0) -> Gray:
    """Stripes in two directions with a band of noise, no two corners alike."""
    y, x = np.mgrid[0:height, 0:width]
    levels = _waves(x * (9 + seed) + y * 4) // 2 + _waves(y * 13 - x * 2 + 31 * seed) // 2
    noisy = (y * 4 // height) == 2
    return np.where(noisy, noise(height, width, seed), levels).astype(np.uint8)


def color(height: int, width: int, seed: int = 0) -> Pixels:
    """Red, green and blue, each with stripes of its own."""
    return np.dstack([gray(height, width, seed + channel) for channel in (0, 3, 5)])


def noise(height: int, width: int, seed: int = 0) -> Gray:
    """Levels that follow from the place and the seed alone."""
    return (_scrambled(height, width, seed) >> np.uint64(24)).astype(np.uint8)


def wide(height: int, width: int, seed: int = 0) -> NDArray[np.uint16]:
    """Samples of 16 bits, whose low bytes count."""
    y, x = np.mgrid[0:height, 0:width]
    low = (_scrambled(height, width, seed) >> np.uint64(20)) % np.uint64(3000)
    samples: NDArray[np.uint16] = ((x * 1543 + y * 2039 + low.astype(np.int64)) % 65536).astype(np.uint16)
    return samples


def opacity(height: int, width: int) -> Gray:
    """Transparent at the left, opaque at the right, half of each in between."""
    ramp = np.clip((np.arange(width) * 3 * 255 // max(1, width - 1)) - 255, 0, 255)
    return np.broadcast_to(ramp, (height, width)).astype(np.uint8)


def written(paths: Sequence[Path], pen: int, size: tuple[int, int] = (120, 90), scale: int = 1) -> Gray:
    """Strokes on a page of `size` (height, width): 255 where there is ink, 0 where there is none, soft edges."""
    height, width = size
    canvas = np.zeros((height * 2, width * 2), np.int64)
    for path in paths:
        for start, end in pairwise(path):
            _draw(canvas, start, end, pen, 2 * scale)
    inked: Gray = (canvas.reshape(height, 2, width, 2).sum(axis=(1, 3)) * 255 // 4).astype(np.uint8)
    return inked


def on_paper(ink: Gray, paper: int = 255, pen: int = 0) -> Gray:
    """Ink of one level over paper of another."""
    return (paper + ink.astype(np.int64) * (pen - paper) // 255).astype(np.uint8)


def _draw(canvas: NDArray[np.int64], start: Point, end: Point, pen: int, scale: int) -> None:
    """Discs of the radius `pen` from start to end, on a canvas of twice the page's resolution."""
    steps = scale * max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    y, x = np.mgrid[-pen : pen + 1, -pen : pen + 1]
    disc = (x * x + y * y <= pen * pen).astype(np.int64)
    framed = np.pad(canvas, pen)
    for step in range(steps + 1):
        across, down = (scale * a + scale * (b - a) * step // steps for a, b in zip(start, end, strict=True))
        part = framed[max(0, down) : down + 2 * pen + 1, max(0, across) : across + 2 * pen + 1]
        if part.shape == disc.shape:
            np.maximum(part, disc, out=part)
    canvas[:] = framed[pen : pen + canvas.shape[0], pen : pen + canvas.shape[1]]


def _waves(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Up and down between 0 and 255."""
    phase = places % 512
    return np.minimum(phase, 511 - phase)


def _scrambled(height: int, width: int, seed: int) -> NDArray[np.uint64]:
    """Marsaglia's xorshift of the place, 64 bits."""
    state = np.arange(1, height * width + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15 + 2 * seed)
    for shift in (13, 7, 17):
        state ^= (state >> np.uint64(shift)) if shift == 7 else (state << np.uint64(shift))
    return state.reshape(height, width)
