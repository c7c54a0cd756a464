"""The ranking of classes, and probabilities from logits."""

import numpy as np
import pytest

from service.errors import TooLarge
from service.inference.prediction import Classification, RankedClass, softmax, top_k

LABELS = ("a", "b", "c", "d")


def scores(*rows: tuple[float, ...]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return np.array(rows, np.float32)


def test_classes_come_in_descending_order() -> None:
    (ranked,) = top_k(scores((0.125, 0.5, 0.25, 0.125)), LABELS, 3)

    assert ranked == (RankedClass("b", 1, 0.5), RankedClass("c", 2, 0.25), RankedClass("a", 0, 0.125))


def test_of_equal_classes_the_lower_index_comes_first() -> None:
    (ranked,) = top_k(scores((0.25, 0.25, 0.25, 0.25)), LABELS, 4)

    assert [each.index for each in ranked] == [0, 1, 2, 3]


def test_every_image_has_its_own_ranking() -> None:
    first, second = top_k(scores((1, 0, 0, 0), (0, 0, 0, 1)), LABELS, 1)

    assert (first[0].label, second[0].label) == ("a", "d")


def test_more_labels_than_a_response_may_have_are_refused() -> None:
    probabilities = np.zeros((256, 1000), np.float32)

    with pytest.raises(TooLarge, match="1000 classes for each of 256 images are more than 100000 together"):
        top_k(probabilities, [""] * 1000, 1000)
    assert len(top_k(probabilities, [""] * 1000, 5)) == 256


def test_probabilities_are_those_of_the_network_to_the_last_bit() -> None:
    value = np.float32(0.1)

    (ranked,) = top_k(np.array([[value, 0, 0, 0]], np.float32), LABELS, 1)

    assert np.float32(ranked[0].probability) == value


def test_every_image_has_a_winner_the_first_of_equal_ones() -> None:
    classification = Classification(scores((0.25, 0.5, 0.25, 0), (0.5, 0, 0, 0.5)), ((), ()))

    assert classification.top1(LABELS) == [RankedClass("b", 1, 0.5), RankedClass("a", 0, 0.5)]


def test_softmax_gives_probabilities() -> None:
    probabilities = softmax(scores((0, np.log(3))))

    assert probabilities.tolist() == [pytest.approx([0.25, 0.75])]


def test_large_logits_do_not_overflow() -> None:
    probabilities = softmax(scores((1e30, -1e30, 1e30), (-1e38, 0, 1e38)))

    assert probabilities.tolist() == [[0.5, 0.0, 0.5], [0.0, 0.0, 1.0]]
