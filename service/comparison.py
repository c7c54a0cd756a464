"""What one version says beside another one's answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.prediction import Classification, RankedClass


@dataclass(frozen=True)
class Comparison:
    """One image: whether both found the same label, and how far the answered label's probabilities are apart."""

    agrees: bool
    difference: float


def compare(
    answered: Sequence[RankedClass], classification: Classification, labels: Sequence[str]
) -> Iterator[Comparison]:
    """Compare the class that each image was answered with; `labels` are of the version that is compared.

    Labels count, not their places: versions may order them differently. A label that is unknown has probability 0, and
    what is no number is as far off as can be.
    """
    for row, (given, found) in enumerate(zip(answered, classification.winners(labels), strict=True)):
        place = labels.index(given.label) if given.label in labels else None
        probability = 0.0 if place is None else classification.probabilities.item(row, place)
        yield Comparison(given.label == found.label, min(1.0, abs(given.probability - probability)))
