"""Calibration: a temperature that corrects a network's probabilities, and a threshold below which it abstains.

Both are computed from probabilities [N, classes] and true labels [N] of validation images, never of the test split.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.splits import Labels
from training.errors import InvalidData
from training.evaluation.metrics import Probabilities, calibration_error, predicted_labels

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0  # the bounds of the search; networks in use need 1 to 4

# A temperature is fitted to mistakes. With fewer, chance decides; with none, it would make all probabilities 0 or 1.
MIN_MISTAKES = 30

_HALVINGS = 24  # of the logarithm of 1/T, which leaves 4e-7 of it: less than the precision of float32
_SMALLEST = float(np.finfo(np.float32).tiny)  # 1.2e-38: what softmax makes 0 in float32 is at most that


@dataclass(frozen=True)
class Threshold:
    """A confidence, 0 to 1: `coverage` of the images reach it, and `precision` of these are right."""

    threshold: float
    precision: float
    coverage: float


@dataclass(frozen=True)
class Calibration:
    """The temperature fitted on a split, and the threshold for probabilities at that temperature, if one was asked for.

    The errors are expected calibration errors without and with the temperature.
    """

    split: str
    images: int
    temperature: float
    expected_calibration_error_before: float
    expected_calibration_error_after: float
    threshold: Threshold | None = None

    def to_json(self) -> dict[str, Any]:
        """The record as it stands in the bundle's metadata; without a threshold where there is none."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def calibrate(
    probabilities: Probabilities, true: Labels, split: str, precision: float | None = None, *, fixed: bool = False
) -> Calibration:
    """Fit a temperature and, for a wanted precision (0 to 1), a threshold for the probabilities at that temperature.

    The temperature is 1 where the network's probabilities are `fixed`, and where there are fewer than MIN_MISTAKES
    mistakes. Raises InvalidData where no threshold gives that precision.
    """
    mistakes = int((predicted_labels(probabilities) != true).sum())
    temperature = fit_temperature(probabilities, true) if mistakes >= MIN_MISTAKES and not fixed else 1.0
    rescaled = rescale(probabilities, temperature)
    return Calibration(
        split=split,
        images=len(true),
        temperature=temperature,
        expected_calibration_error_before=calibration_error(probabilities, true),
        expected_calibration_error_after=calibration_error(rescaled, true),
        threshold=None if precision is None else choose_threshold(rescaled, true, precision),
    )


def fit_temperature(probabilities: Probabilities, true: Labels) -> float:
    """The T from 0.05 to 20 that makes the true labels most likely under softmax(log p / T).

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2. A probability's logarithm is its
    logit, up to a constant of the image, which does not change the softmax; one of 0 counts as 1.2e-38. The loss is
    convex in 1/T, so bisection finds where its derivative is 0. Where all T are equally good, it is 1.
    """
    logits = _logits(probabilities)
    low, high = np.log(1 / MAX_TEMPERATURE), np.log(1 / MIN_TEMPERATURE)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        derivative = _loss_derivative(logits, true, np.exp(middle))
        if derivative == 0:
            break
        low, high = (low, middle) if derivative > 0 else (middle, high)
    return float(np.exp(-(low + high) / 2))


def rescale(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Softmax(log p / T), float32 [N, classes]: the probabilities of a network whose logits are divided by T."""
    return _softmax(_logits(probabilities) / temperature).astype(np.float32)


def choose_threshold(probabilities: Probabilities, true: Labels, precision: float) -> Threshold:
    """The lowest threshold at which at least `precision` (0 to 1) of the images that reach it are right.

    Images of equal confidence all reach it, or none does. It lies half way between the lowest confidence that reaches
    it and the next lower one, or 1/classes, so that rounding on another machine changes no image's side. Raises
    InvalidData where there is none.
    """
    confidence, images, right = _cumulate(probabilities, true)
    precisions = right / images
    enough = np.flatnonzero(precisions >= precision)
    if not len(enough):
        raise InvalidData(
            f"no threshold makes {precision:.2%} of the answers right, at best {precisions.max():.2%} are on these "
            f"{len(true):,} images: ask for less, or train a better network"
        )
    last = enough[-1]
    below = [*confidence, 1 / probabilities.shape[1]][last + 1]
    return Threshold(
        threshold=float((confidence[last] + below) / 2),
        precision=float(precisions[last]),
        coverage=float(images[last] / len(true)),
    )


def _logits(probabilities: Probabilities) -> NDArray[np.float64]:
    """The logarithms, shifted so that each row's largest is 0."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST))
    shifted: NDArray[np.float64] = logits - logits.max(axis=1, keepdims=True)
    return shifted


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits)  # of at most 0, so there is no overflow
    softmax: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return softmax


def _loss_derivative(logits: NDArray[np.float64], true: Labels, inverse_temperature: float) -> float:
    """The derivative of the mean negative log-likelihood by 1/T: the mean expected logit minus the true class's."""
    expected = (_softmax(logits * inverse_temperature) * logits).sum(axis=1)
    return float((expected - logits[np.arange(len(true)), true]).mean())


def _cumulate(
    probabilities: Probabilities, true: Labels
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """The distinct confidences in descending order; how many images reach each, and how many of these are right."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    levels, place, images = np.unique(-confidence, return_inverse=True, return_counts=True)
    right = np.bincount(place[predicted_labels(probabilities) == true], minlength=len(levels))
    return -levels, images.cumsum(), right.cumsum()
