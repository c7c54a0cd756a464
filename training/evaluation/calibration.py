"""How far a network's probabilities can be believed: a temperature that corrects them, a threshold to abstain below.

Both are computed from probabilities alone, on images held out of the training, which are not the test split.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.splits import Labels
from training.errors import InvalidData
from training.evaluation.metrics import Probabilities, calibration_error, predicted_labels


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


COLDEST, HOTTEST = 0.05, 20.0  # where the temperature is looked for; networks in use need 1 to 4

# Mistakes are what a temperature is fitted to. With fewer, chance decides; of none, it would make all answers certain.
ENOUGH = 30

_HALVINGS = 24  # of the logarithm of 1/T, which leaves 4e-7 of it: less than float32 tells apart
_SMALLEST = float(np.finfo(np.float32).tiny)  # 1.2e-38: what softmax makes 0 in float32 is at most that


@dataclass(frozen=True)
class Calibration:
    """What was found on a split; `threshold` is None where none was asked for, and is for softened probabilities."""

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
    """Fit a temperature and, for a wanted precision, a threshold for what it makes of the probabilities.

    The temperature is 1 where the network's probabilities are `fixed`, and where there are too few mistakes. Raises
    InvalidData where no threshold gives that precision.
    """
    mistakes = int((predicted_labels(probabilities) != true).sum())
    temperature = fit_temperature(probabilities, true) if mistakes >= ENOUGH and not fixed else 1.0
    softened = soften(probabilities, temperature)
    return Calibration(
        split=split,
        images=len(true),
        temperature=temperature,
        expected_calibration_error_before=calibration_error(probabilities, true),
        expected_calibration_error_after=calibration_error(softened, true),
        threshold=None if precision is None else choose_threshold(softened, true, precision),
    )


def fit_temperature(probabilities: Probabilities, true: Labels) -> float:
    """The T from 0.05 to 20 that makes the true labels most likely under softmax(log p / T); above 1 it softens.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2. A probability's logarithm is its
    logit, up to a constant of the image, which softmax does not see; one of 0 counts as 1.2e-38. The loss is convex in
    1/T, so its slope is followed to 0 by halving. Where all T are equally good, it is 1.
    """
    logits = _logits(probabilities)
    low, high = np.log(1 / HOTTEST), np.log(1 / COLDEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        slope = _slope(logits, true, np.exp(middle))
        if slope == 0:
            break
        low, high = (low, middle) if slope > 0 else (middle, high)
    return float(np.exp(-(low + high) / 2))


def soften(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Softmax(log p / T), [N, classes] float32: what a network says whose logits are divided by T."""
    return _softmax(_logits(probabilities) / temperature).astype(np.float32)


def _logits(probabilities: Probabilities) -> NDArray[np.float64]:
    """The logarithms, shifted so that each row's largest is 0."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST))
    shifted: NDArray[np.float64] = logits - logits.max(axis=1, keepdims=True)
    return shifted


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits)  # of at most 0, so that nothing overflows
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _slope(logits: NDArray[np.float64], true: Labels, sharpness: float) -> float:
    """The derivative of the mean negative log-likelihood by 1/T: the mean logit expected less the true class's."""
    expected = (_softmax(logits * sharpness) * logits).sum(axis=1)
    return float((expected - logits[np.arange(len(true)), true]).mean())
