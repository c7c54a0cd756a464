"""A confidence from which a network's answers are right as often as wanted; below it, it had better abstain."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.datasets import Labels
from training.errors import InvalidData
from training.evaluation import Probabilities, predicted_labels


@dataclass(frozen=True)
class Threshold:
    """A confidence to answer from: `precision` of the answers are right, `coverage` of the images get one."""

    threshold: float
    precision: float
    coverage: float


def choose_threshold(probabilities: Probabilities, true: Labels, precision: float) -> Threshold:
    """The lowest threshold at or above which at least `precision` (0 to 1) of the images are right.

    Images of equal confidence are answered together or not at all. The threshold is half way to the next lower
    confidence, or to 1/classes, so that another machine's rounding answers the same images. Raises InvalidData where
    there is none.
    """
    confidence, answered, right = _cumulate(probabilities, true)
    shares = right / answered
    enough = np.flatnonzero(shares >= precision)
    if not len(enough):
        raise InvalidData(
            f"no threshold makes {precision:.2%} of the answers right, at best {shares.max():.2%} are on these "
            f"{len(true):,} images: ask for less, or train a better network"
        )
    last = enough[-1]
    below = [*confidence, 1 / probabilities.shape[1]][last + 1]
    return Threshold(
        threshold=float((confidence[last] + below) / 2),
        precision=float(shares[last]),
        coverage=float(answered[last] / len(true)),
    )


def _cumulate(
    probabilities: Probabilities, true: Labels
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """The distinct confidences, highest first, and how many images have at least each, and are right."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    levels, place, images = np.unique(-confidence, return_inverse=True, return_counts=True)
    hits = np.bincount(place[predicted_labels(probabilities) == true], minlength=len(levels))
    return -levels, images.cumsum(), hits.cumsum()
