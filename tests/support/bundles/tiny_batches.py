"""Batches of images for the tiny models, and the probabilities that every protocol must return for them."""

import numpy as np
from numpy.typing import NDArray

from preprocessing.png import encode_png
from tests.support.bundles.tiny import LABELS
from tests.support.images.drawn import Pixels, tiny_image

PROBABILITIES = np.exp(4 * np.eye(len(LABELS))) / (np.exp(4) + len(LABELS) - 1)  # a row each for left, middle, right


def batch(size: int) -> Pixels:
    """Images of left, middle, right, left …: uint8 [size, 8, 8, 1]."""
    return np.stack([tiny_image(number % len(LABELS)) for number in range(size)])


def batch_files(size: int) -> list[bytes]:
    """The same images as PNG files."""
    return [encode_png(pixels) for pixels in batch(size)]


def expected_probabilities(size: int) -> NDArray[np.float64]:
    """The probabilities of left, middle and right for a batch: [size, 3]."""
    return np.stack([PROBABILITIES[number % len(LABELS)] for number in range(size)])
