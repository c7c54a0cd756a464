"""What a classifier gets wrong on a split: which images, how sure it was, and which classes it confuses."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from training.data.splits import Labels
from training.evaluation.metrics import Probabilities, predicted_labels

Pair = tuple[int, int]  # what an image is and what it was taken for, as indices of labels


@dataclass(frozen=True)
class Mistake:
    """One image, by its position in the split, from 0, with the probabilities of the wrong class and the right one."""

    position: int
    true: int
    taken: int
    probability: float
    true_probability: float

    @property
    def pair(self) -> Pair:
        """By which its like are grouped."""
        return self.true, self.taken


@dataclass(frozen=True)
class Mistakes:
    """All mistakes, the most confident first, and how sure the classifier was on average; None where it never was."""

    examples: int
    every: tuple[Mistake, ...]
    confidence_right: float | None
    confidence_wrong: float | None

    @property
    def accuracy(self) -> float:
        """The share of images that it gets right."""
        return 1 - len(self.every) / self.examples

    def pairs(self) -> list[tuple[Pair, int]]:
        """How often which class was taken for which other, the most frequent first, else in the order of labels."""
        counts = Counter(mistake.pair for mistake in self.every)
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def find_mistakes(probabilities: Probabilities, true: Labels) -> Mistakes:
    """Compare probabilities of [N, classes] with the true labels; ties are in the order of the split."""
    taken, confidence = predicted_labels(probabilities), probabilities.max(axis=1)
    wrong = np.flatnonzero(taken != true)
    ordered = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return Mistakes(
        examples=len(true),
        every=tuple(
            Mistake(int(i), int(true[i]), int(taken[i]), float(confidence[i]), float(probabilities[i, true[i]]))
            for i in ordered
        ),
        confidence_right=_mean(confidence[taken == true]),
        confidence_wrong=_mean(confidence[wrong]),
    )


def _mean(confidence: Probabilities) -> float | None:
    return float(confidence.mean(dtype=np.float64)) if len(confidence) else None
