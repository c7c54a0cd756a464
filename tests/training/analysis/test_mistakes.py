import numpy as np
import pytest

from training.analysis.mistakes import find_mistakes

# Six images of three classes; the second, fourth and fifth are wrong.
PROBABILITIES = np.array(
    [[0.9, 0.1, 0.0], [0.6, 0.3, 0.1], [0.0, 0.7, 0.3], [0.0, 0.8, 0.2], [0.6, 0.4, 0.0], [0.1, 0.1, 0.8]], np.float32
)
TRUE = np.array([0, 1, 1, 2, 1, 2])


def test_the_most_confident_mistake_is_first_and_ties_are_in_the_order_of_the_split() -> None:
    found = find_mistakes(PROBABILITIES, TRUE)

    assert [mistake.position for mistake in found.ordered] == [3, 1, 4]
    first = found.ordered[0]
    assert first.pair == (2, 1)
    assert (first.probability, first.true_probability) == pytest.approx((0.8, 0.2))


def test_confidence_is_averaged_over_right_and_over_wrong_predictions() -> None:
    found = find_mistakes(PROBABILITIES, TRUE)

    assert found.confidence_right == pytest.approx((0.9 + 0.7 + 0.8) / 3)
    assert found.confidence_wrong == pytest.approx((0.6 + 0.8 + 0.6) / 3)
    assert found.accuracy == 0.5


def test_pairs_are_counted_in_one_direction_the_most_frequent_first() -> None:
    assert find_mistakes(PROBABILITIES, TRUE).pairs() == [((1, 0), 2), ((2, 1), 1)]


def test_without_mistakes_there_is_no_confidence_in_them() -> None:
    found = find_mistakes(PROBABILITIES[:1], TRUE[:1])

    assert (found.ordered, found.pairs(), found.confidence_wrong, found.accuracy) == ((), [], None, 1.0)
