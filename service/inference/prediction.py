"""Predictions: the probabilities of a model's classes, and the most probable ones by their labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from service.codecs.limits import MAX_RANKED_CLASSES
from service.errors import TooLarge
from service.inference.runtime import Scores


@dataclass(frozen=True)
class RankedClass:
    """A class with its label and its probability, which is a float32's value."""

    label: str
    index: int
    probability: float


class AbstainReason(StrEnum):
    """Why a model abstains from an image; of several reasons the first one counts."""

    NO_INK = "no_ink"
    SEVERAL_PIECES = "several_pieces"
    UNLIKE_TRAINING = "unlike_training"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Classification:
    """Probabilities, float32 [N, classes], and the preprocessing steps of each image.

    `reasons` says for each image why the model abstains from it, None where it answers; it is None for a model that
    never abstains.
    """

    probabilities: Scores
    steps: tuple[tuple[str, ...], ...]
    reasons: tuple[AbstainReason | None, ...] | None = None

    def top1(self, labels: Sequence[str]) -> list[RankedClass]:
        """The most probable class of each image."""
        best = enumerate(self.probabilities.argmax(axis=1).tolist())
        return [RankedClass(labels[index], index, self.probabilities.item(row, index)) for row, index in best]


def softmax(logits: Scores) -> Scores:
    """Probabilities of logits [N, classes], shifted by their maximum so that nothing overflows."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Scores = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def top_k(probabilities: Scores, labels: Sequence[str], k: int) -> list[tuple[RankedClass, ...]]:
    """The `k` most probable classes of each row of [N, classes]; of equal ones the lower index comes first.

    Raises TooLarge where they are more than one response may have.
    """
    if len(probabilities) * k > MAX_RANKED_CLASSES:
        sentence = f"{k} classes for each of {len(probabilities)} images are more than {MAX_RANKED_CLASSES} together"
        raise TooLarge(f"{sentence}: ask for fewer, or send fewer images at a time")
    order = (-probabilities).argsort(axis=1, kind="stable")[:, :k].tolist()
    rows = zip(order, probabilities.tolist(), strict=True)
    return [tuple([RankedClass(labels[index], index, row[index]) for index in best]) for best, row in rows]
