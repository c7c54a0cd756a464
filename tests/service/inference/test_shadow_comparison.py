"""The comparison of a response with what a shadow classifies."""

from collections.abc import Sequence

import numpy as np
import pytest

from service.inference.prediction import Classification, RankedClass
from service.inference.shadow import Comparison, compare

LABELS = ("left", "middle", "right")


def compared(label: str, probability: float, row: Sequence[float], labels: Sequence[str] = LABELS) -> Comparison:
    """A response compared with the scores of a shadow with these labels."""
    own = Classification(np.array([row], np.float32), ((),))
    (comparison,) = compare([RankedClass(label, 9, probability)], own, labels)
    return comparison


@pytest.mark.parametrize(
    ("label", "probability", "row", "agrees", "difference"),
    [
        pytest.param("middle", 0.75, [0.0, 0.75, 0.25], True, 0.0, id="alike"),
        pytest.param("middle", 0.75, [0.0, 1.0, 0.0], True, 0.25, id="surer"),
        pytest.param("middle", 0.75, [0.5, 0.25, 0.25], False, 0.5, id="another label"),
        pytest.param("top", 0.75, [1.0, 0.0, 0.0], False, 0.75, id="a label that the shadow does not know"),
        pytest.param("middle", 0.75, [np.nan] * 3, False, 1.0, id="NaN from the shadow"),
        pytest.param("left", np.nan, [0.5, 0.25, 0.25], True, 1.0, id="NaN in the response"),
    ],
)
def test_labels_and_the_answered_ones_probabilities_are_compared(
    label: str, probability: float, row: Sequence[float], agrees: bool, difference: float
) -> None:
    assert compared(label, probability, row) == Comparison(agrees, difference)


def test_versions_may_order_their_labels_differently() -> None:
    assert compared("right", 0.75, [0.75, 0.0, 0.25], LABELS[::-1]) == Comparison(agrees=True, difference=0.0)


def test_every_image_is_compared() -> None:
    answered = [RankedClass("left", 0, 1.0), RankedClass("middle", 1, 1.0)]
    own = Classification(np.array([[1, 0, 0], [1, 0, 0]], np.float32), ((), ()))

    assert [each.agrees for each in compare(answered, own, LABELS)] == [True, False]


def test_a_shadow_that_answers_for_another_number_of_images_is_an_error() -> None:
    own = Classification(np.array([[1, 0, 0]], np.float32), ((),))

    with pytest.raises(ValueError, match="zip"):
        list(compare([], own, LABELS))
