"""Drawn images: extremes, and golden ones with the probabilities that a model must give whenever it is loaded.

The images are drawn here, never taken from a data set.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from modelrepo.golden import GoldenImage, GoldenSet
from preprocessing.png import encode_png
from training.data.splits import Images
from training.evaluation.metrics import Probabilities

# Other CPUs and other releases of ONNX Runtime sum in another order: ten times the tolerance of the parity check allows
# that, and is far below what a wrong scaling, layout or weight would change.
TOLERANCE = 1e-4
_RANDOM = 64  # images of noise, which reaches activations that no real image does
_SEED = 2017  # any fixed number: the noise of all bundles is the same

Plane = NDArray[np.float64]  # [height, width] of 0…1


def draw_images(height: int, width: int, channels: int) -> Images:
    """Eight images, uint8 [8, height, width, channels]; with three channels, each has its own shading."""
    random = np.random.default_rng(_SEED)
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)
    planes = [draw(y, x) for draw in _SHAPES] + [random.random((height, width)), _strokes(height, width)]
    return np.stack([_tint(plane, y, x, channels) for plane in planes])


def draw_extremes(shape: tuple[int, int, int], seed: int) -> Images:
    """What no test image is: noise, an all-black and an all-white one; uint8 [N, height, width, channels]."""
    noise = np.random.default_rng(seed).integers(0, 256, (_RANDOM, *shape), np.uint8)
    flat = np.stack([np.full(shape, level, np.uint8) for level in (0, 255)])
    return np.concatenate([noise, flat])


def make_golden(images: Images, probabilities: Probabilities, tolerance: float = TOLERANCE) -> GoldenSet:
    """The images as PNG files with their probabilities, [N, classes], and the largest difference that is accepted."""
    return GoldenSet(
        tolerance,
        tuple(
            GoldenImage(f"{position:02}.png", encode_png(image), tuple(float(value) for value in row))
            for position, (image, row) in enumerate(zip(images, probabilities, strict=True))
        ),
    )


def _tint(plane: Plane, y: Plane, x: Plane, channels: int) -> Images:
    tints = (np.ones_like(plane), 1 - 0.6 * y, 1 - 0.6 * x)
    return np.stack([(plane * tint * 255).round().astype(np.uint8) for tint in tints[:channels]], axis=-1)


def _radius(y: Plane, x: Plane) -> Plane:
    return np.hypot(y - 0.5, x - 0.5)


_SHAPES: tuple[Callable[[Plane, Plane], Plane], ...] = (
    lambda y, x: (y + x) / 2,  # a gradient
    lambda y, x: (_radius(y, x) < 0.3).astype(float),  # a disc
    lambda y, x: (np.abs(_radius(y, x) - 0.28) < 0.07).astype(float),  # a ring, much like a 0
    lambda y, x: (np.abs(x - 0.5) < 0.08) * (np.abs(y - 0.5) < 0.36).astype(float),  # a bar, much like a 1
    lambda _, x: ((x * 6).astype(int) % 2).astype(float),  # bars
    lambda y, x: (((x * 8).astype(int) + (y * 8).astype(int)) % 2).astype(float),  # a checkerboard
)


def _strokes(height: int, width: int) -> Plane:
    """A zigzag line, much like a 7 and a 2."""
    image = Image.new("L", (width, height))
    corners = [(0.25, 0.25), (0.75, 0.25), (0.35, 0.75), (0.8, 0.75)]
    points = [(across * width, down * height) for across, down in corners]
    ImageDraw.Draw(image).line(points, fill=255, width=max(1, width // 10), joint="curve")
    return np.asarray(image, np.float64) / 255
