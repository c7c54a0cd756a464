"""What a client gets: the classes that a network finds most probable, by name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.inference.runtime import Scores


@dataclass(frozen=True)
class RankedClass:
    """One class of the ranking; `probability` is a float32's value."""

    label: str
    index: int
    probability: float

    def is_below(self, threshold: float) -> bool:
        """Whether this is too little to be sure of; NaN always is."""
        return not self.probability >= threshold


@dataclass(frozen=True)
class Classification:
    """Probabilities float32 [N, classes], and for each image what was done to it before."""

    probabilities: Scores
    steps: tuple[tuple[str, ...], ...]

    def winners(self, labels: Sequence[str]) -> list[RankedClass]:
        """The most probable class of each image."""
        best = enumerate(self.probabilities.argmax(axis=1).tolist())
        return [RankedClass(labels[index], index, self.probabilities.item(row, index)) for row, index in best]


def softmax(logits: Scores) -> Scores:
    """Probabilities of logits [N, classes], shifted by their maximum so that nothing overflows."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Scores = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def rank(probabilities: Scores, labels: Sequence[str], top_k: int) -> list[tuple[RankedClass, ...]]:
    """The `top_k` most probable classes of each row of [N, classes]; of equal ones the lower index comes first."""
    order = (-probabilities).argsort(axis=1, kind="stable")[:, :top_k].tolist()
    rows = zip(order, probabilities.tolist(), strict=True)
    return [tuple([RankedClass(labels[index], index, row[index]) for index in best]) for best, row in rows]
