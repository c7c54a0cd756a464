"""A graph in eight bits beside its float32 one, and the rule by which it is worth publishing."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.datasets import Split
from training.errors import NotWorthwhile
from training.evaluation import Probabilities, predicted_labels

# One image in 333: about the standard error of an accuracy near 90 % on 10,000 images, so a loss that nobody can tell.
MOST_LOST = 0.003
# Two measurements of one pair differ by 1 %. What is gained must be worth labels that are no longer Keras's, too.
LEAST_RATIO = 1.05


@dataclass(frozen=True)
class Figures:
    """One graph: right answers on the test split, bytes of its file, median milliseconds for an image on one thread."""

    correct: int
    accuracy: float
    size: int
    milliseconds: float


@dataclass(frozen=True)
class Comparison:
    """Both graphs on the same test split and, in turn, on the same thread.

    `largest_difference` is that of any probability, `labels_equal` the share of images that both give the same label.
    """

    examples: int
    float32: Figures
    int8: Figures
    largest_difference: float
    labels_equal: float

    @property
    def ratio(self) -> float:
        """How many times as fast the eight-bit graph is."""
        return self.float32.milliseconds / self.int8.milliseconds

    def to_json(self) -> dict[str, Any]:
        """The record as it stands in the bundle's metadata."""
        return {**asdict(self), "ratio": self.ratio}


@dataclass(frozen=True)
class Measured:
    """One graph's answers to the test split, its bytes, and its seconds for one image."""

    probabilities: Probabilities
    size: int
    seconds: float


def set_side_by_side(float32: Measured, int8: Measured, test: Split) -> Comparison:
    """The comparison of two graphs' answers to the test split."""
    same = predicted_labels(float32.probabilities) == predicted_labels(int8.probabilities)
    return Comparison(
        examples=len(test),
        float32=_figures(float32, test),
        int8=_figures(int8, test),
        largest_difference=float(np.abs(float32.probabilities - int8.probabilities).max()),
        labels_equal=float(same.mean()),
    )


def require_worthwhile(comparison: Comparison) -> None:
    """Raise NotWorthwhile unless the graph loses next to nothing and is clearly faster on this machine."""
    lost = comparison.float32.correct - comparison.int8.correct
    reasons = []
    if lost > MOST_LOST * comparison.examples:
        points = 100 * lost / comparison.examples
        reasons.append(f"loses {points:.2f} points of accuracy (at most {100 * MOST_LOST:.1f} are allowed)")
    if not comparison.ratio >= LEAST_RATIO:
        reasons.append(f"is {comparison.ratio:.2f} times as fast here (at least {LEAST_RATIO:.2f} is asked for)")
    if reasons:
        raise NotWorthwhile(
            f"in eight bits the network {' and '.join(reasons)}: nothing was published; leave out --int8 to publish "
            "it in float32"
        )


def _figures(measured: Measured, test: Split) -> Figures:
    correct = int((predicted_labels(measured.probabilities) == test.labels).sum())
    return Figures(correct, correct / len(test), measured.size, 1000 * measured.seconds)
