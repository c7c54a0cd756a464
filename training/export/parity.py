"""Parity: the proof that the exported graph answers as the Keras network does."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.data.splits import Images
from training.errors import ParityFailed
from training.evaluation.metrics import Probabilities, predicted_labels

TOLERANCE = 1e-5  # float32 sums in another order differ by some 1e-6; a real mistake by 1e-2 and more
_RANDOM = 64  # noise, which reaches activations that no real image does


@dataclass(frozen=True)
class Parity:
    """How close the two came over how many images."""

    images: int
    tolerance: float
    largest_difference: float
    labels_equal: bool

    def to_json(self) -> dict[str, Any]:
        """The record as it stands in the bundle's metadata."""
        return asdict(self)


def draw_extremes(shape: tuple[int, int, int], seed: int) -> Images:
    """What no test image is: noise, an all-black and an all-white one; uint8 [N, height, width, channels]."""
    noise = np.random.default_rng(seed).integers(0, 256, (_RANDOM, *shape), np.uint8)
    flat = np.stack([np.full(shape, level, np.uint8) for level in (0, 255)])
    return np.concatenate([noise, flat])


def compare(keras: Probabilities, exported: Probabilities) -> Parity:
    """The two answers to the same images; raises ParityFailed where labels differ or probabilities differ too much."""
    largest = float(np.abs(keras - exported).max())
    different = int((predicted_labels(keras) != predicted_labels(exported)).sum())
    if different or not largest <= TOLERANCE:  # not `>`: NaN must fail too
        raise ParityFailed(
            f"ONNX Runtime does not answer as Keras does: over {len(keras)} images {different} labels differ and "
            f"probabilities by up to {largest:.2g} (allowed {TOLERANCE:.0e}); nothing was published"
        )
    return Parity(len(keras), TOLERANCE, largest, labels_equal=True)
