"""The threshold below which a model abstains."""

import numpy as np
import pytest

from tests.support.training.probabilities import overconfident
from training.errors import InvalidData
from training.evaluation.calibration import Threshold, choose_threshold
from training.evaluation.metrics import Probabilities


def two_classes(*confidences: float) -> Probabilities:
    """Images that are taken for class 0, each with a confidence."""
    first = np.array(confidences, np.float32)
    return np.stack([first, 1 - first], axis=1)


@pytest.mark.parametrize(
    ("precision", "threshold", "reached", "coverage"),
    [
        pytest.param(1.0, 0.75, 1.0, 0.4, id="before the first mistake"),
        pytest.param(0.75, 0.55, 0.75, 0.8, id="a mistake that later answers make up for"),
        pytest.param(0.6, 0.5, 0.6, 1.0, id="everything"),
    ],
)
def test_as_many_as_possible_are_answered(precision: float, threshold: float, reached: float, coverage: float) -> None:
    probabilities = two_classes(0.9, 0.8, 0.7, 0.6, 0.5)
    labels = np.array([0, 0, 1, 0, 1])

    found = choose_threshold(probabilities, labels, precision)

    assert found == Threshold(found.threshold, reached, coverage)
    assert found.threshold == pytest.approx(threshold)


@pytest.mark.parametrize("precision", [0.8, 0.9, 0.99])
def test_the_threshold_does_on_its_split_what_it_says(precision: float) -> None:
    probabilities, labels = overconfident(1.0)

    found = choose_threshold(probabilities, labels, precision)

    answered = probabilities.max(axis=1) >= found.threshold
    assert (probabilities.argmax(axis=1) == labels)[answered].mean() == found.precision >= precision
    assert answered.mean() == found.coverage


def test_images_of_equal_confidence_are_answered_together_or_not_at_all() -> None:
    probabilities = two_classes(0.9, 0.7, 0.7, 0.7)

    found = choose_threshold(probabilities, np.array([0, 0, 0, 1]), 0.8)

    assert (found.precision, found.coverage) == (1.0, 0.25)


def test_another_machines_rounding_answers_the_same_images() -> None:
    probabilities = two_classes(0.9, 0.8, 0.7)

    found = choose_threshold(probabilities, np.array([0, 0, 1]), 1.0)

    for error in (-1e-4, 1e-4):
        assert ((probabilities.max(axis=1) + error) >= found.threshold).tolist() == [True, True, False]


def test_a_share_that_is_met_exactly_is_met() -> None:
    labels = np.array([0] * 7 + [1] * 93)  # 7 / 100 is 0.07, but 0.07 × 100 is more than 7

    assert choose_threshold(two_classes(*[0.9] * 100), labels, 0.07).coverage == 1


def test_a_precision_out_of_reach_is_told_with_what_is_in_reach() -> None:
    with pytest.raises(InvalidData, match=r"no threshold makes 90\.00% .* at best 66\.67% .* 3 images: ask for less"):
        choose_threshold(two_classes(0.9, 0.8, 0.7), np.array([1, 0, 0]), 0.9)


# Both together
