"""The mistakes of a classifier on a split: which images, with what confidence, and which classes are confused."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from training.data.splits import Labels
from training.evaluation.metrics import Probabilities, predicted_labels

Pair = tuple[int, int]  # true and predicted class


@dataclass(frozen=True)
class Mistake:
    """One image by its position in the split, from 0; `probability` is the predicted class's."""

    position: int
    true: int
    predicted: int
    probability: float
    true_probability: float

    @property
    def pair(self) -> Pair:
        """True and predicted class."""
        return self.true, self.predicted


@dataclass(frozen=True)
class Mistakes:
    """All mistakes, the most confident first, and the mean confidence of right and of wrong predictions, if any."""

    examples: int
    ordered: tuple[Mistake, ...]
    confidence_right: float | None
    confidence_wrong: float | None

    @property
    def accuracy(self) -> float:
        """The share of images that are right, 0 to 1."""
        return 1 - len(self.ordered) / self.examples

    def pairs(self) -> list[tuple[Pair, int]]:
        """The count of each pair, the most frequent first, equal ones in the order of classes."""
        counts = Counter(mistake.pair for mistake in self.ordered)
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def find_mistakes(probabilities: Probabilities, true: Labels) -> Mistakes:
    """Compare probabilities [N, classes] with true labels [N]; ties are in the order of the images."""
    predicted, confidence = predicted_labels(probabilities), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != true)
    positions = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return Mistakes(
        examples=len(true),
        ordered=tuple(
            Mistake(int(i), int(true[i]), int(predicted[i]), float(confidence[i]), float(probabilities[i, true[i]]))
            for i in positions
        ),
        confidence_right=_mean(confidence[predicted == true]),
        confidence_wrong=_mean(confidence[wrong]),
    )


def _mean(confidence: Probabilities) -> float | None:
    return float(confidence.mean(dtype=np.float64)) if len(confidence) else None
