"""Metrics of a classifier on a split, computed from its probabilities alone, and the confidence interval of a share."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.splits import Labels, Split

Probabilities = NDArray[np.float32]  # [N, classes]
Interval = tuple[float, float]

_Z = 1.959964  # standard deviations on both sides of the mean that hold 95 % of a normal distribution
_WHOLE = 100  # classes whose confusion matrix fits into the metadata: ImageNet's would be a million numbers
_BINS = 15  # as in Guo et al., so that calibration errors can be compared
_SMALLEST = 1e-7  # Keras's own bound, so that one certain mistake does not make the loss infinite


@dataclass(frozen=True)
class ClassMetrics:
    """Metrics of one class: precision is None where it was never predicted, recall where it has no images."""

    label: str
    examples: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True)
class Evaluation:
    """Metrics over a whole split. Rows of the confusion matrix are true classes, columns predicted ones."""

    split: str
    examples: int
    digest: str
    correct: int
    accuracy: float
    loss: float
    expected_calibration_error: float
    classes: tuple[ClassMetrics, ...]
    confusion: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """The record as it stands in the bundle's metadata: of many classes the commonest mistakes, not the matrix."""
        record = asdict(replace(self, confusion=()))
        if len(self.classes) <= _WHOLE:
            return {**record, "confusion": self.confusion}
        del record["confusion"]
        return {**record, "mistakes": self._mistakes()}

    def _mistakes(self) -> list[dict[str, Any]]:
        wrong = np.array(self.confusion)
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:_WHOLE]
        pairs = [(int(place) // len(wrong), int(place) % len(wrong)) for place in order]
        names = [metrics.label for metrics in self.classes]
        return [
            {"label": names[true], "taken_for": names[predicted], "images": int(wrong[true, predicted])}
            for true, predicted in pairs
            if wrong[true, predicted]
        ]


def evaluate(probabilities: Probabilities, split: Split, class_names: tuple[str, ...]) -> Evaluation:
    """All metrics on the test split."""
    predicted = predicted_labels(probabilities)
    correct = int((predicted == split.labels).sum())
    confusion = confusion_matrix(predicted, split.labels, len(class_names))
    return Evaluation(
        split="test",
        examples=len(split),
        digest=split.digest,
        correct=correct,
        accuracy=correct / len(split),
        loss=cross_entropy(probabilities, split.labels),
        expected_calibration_error=calibration_error(probabilities, split.labels),
        classes=class_metrics(confusion, class_names),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
    )


def predicted_labels(probabilities: Probabilities) -> Labels:
    """The index of the largest probability of each row, int64 [N]."""
    largest: Labels = np.argmax(probabilities, axis=1).astype(np.int64)
    return largest


def confusion_matrix(predicted: Labels, true: Labels, classes: int) -> NDArray[np.int64]:
    """Counts of [true class, predicted class]."""
    counts: NDArray[np.int64] = np.bincount(true * classes + predicted, minlength=classes**2)
    return counts.reshape(classes, classes)


def class_metrics(confusion: NDArray[np.int64], class_names: tuple[str, ...]) -> tuple[ClassMetrics, ...]:
    """Precision and recall of every class, from counts of [true class, predicted class]."""
    hits, examples, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    return tuple(
        ClassMetrics(name, int(examples[i]), _ratio(hits[i], predicted[i]), _ratio(hits[i], examples[i]))
        for i, name in enumerate(class_names)
    )


def cross_entropy(probabilities: Probabilities, true: Labels) -> float:
    """The mean of −log of the true class's probability, natural logarithm."""
    given = probabilities[np.arange(len(true)), true].astype(np.float64)
    return float(-np.log(np.clip(given, _SMALLEST, 1.0)).mean())


def calibration_error(probabilities: Probabilities, true: Labels) -> float:
    """Expected calibration error over 15 equal-width bins of confidence, 0 to 1.

    The mean over bins, weighted by their images, of |accuracy − mean confidence|: Guo et al., "On Calibration of Modern
    Neural Networks", ICML 2017, equation 3.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = predicted_labels(probabilities) == true
    bins = np.clip(np.ceil(confidence * _BINS).astype(np.int64) - 1, 0, _BINS - 1)  # bins are open at the left
    gaps = np.bincount(bins, weights=right - confidence, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(true))


def wilson_interval(hits: int, examples: int) -> Interval:
    """The 95 % confidence interval of a share of `hits` among `examples` independent ones.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927: unlike the usual
    p ± z·√(p(1−p)/n) it stays within 0…1 and is correct near both ends, where accuracies are.
    """
    share, spread = hits / examples, _Z**2 / examples
    center = share + spread / 2
    reach = _Z * math.sqrt(share * (1 - share) / examples + spread / (4 * examples))
    return max(0.0, (center - reach) / (1 + spread)), min(1.0, (center + reach) / (1 + spread))


def _ratio(part: np.int64, whole: np.int64) -> float | None:
    return float(part / whole) if whole else None
