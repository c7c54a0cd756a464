"""Probabilities that are overconfident by a known factor, for tests of calibration."""

import numpy as np

from training.data.splits import Labels
from training.evaluation.metrics import Probabilities

IMAGES, CLASSES = 20_000, 5


def softmax(logits: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Probabilities:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Probabilities = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities


def overconfident(by: float) -> tuple[Probabilities, Labels]:
    """Probabilities whose logits are `by` times those that the labels were drawn from."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (IMAGES, CLASSES))
    labels = (softmax(logits).cumsum(axis=1) < random.random((IMAGES, 1))).sum(axis=1)
    return softmax(logits * by), np.minimum(labels, CLASSES - 1)
