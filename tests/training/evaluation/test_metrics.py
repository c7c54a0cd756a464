import math

import numpy as np
import pytest

from training.data.splits import Split
from training.evaluation.metrics import Interval, calibration_error, cross_entropy, evaluate, wilson_interval

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.5, 0.1, 0.4]], np.float32)
LABELS = np.array([0, 1, 1, 0])


def test_accuracy_is_kept_as_counts_and_as_a_share() -> None:
    evaluation = evaluate(PROBABILITIES, make(LABELS), ("a", "b", "c"))

    assert (evaluation.correct, evaluation.examples, evaluation.accuracy) == (3, 4, 0.75)


def test_rows_of_the_confusion_matrix_are_the_true_classes() -> None:
    evaluation = evaluate(PROBABILITIES, make(LABELS), ("a", "b", "c"))

    assert evaluation.confusion == ((2, 0, 0), (1, 1, 0), (0, 0, 0))


def test_precision_and_recall_are_none_where_they_mean_nothing() -> None:
    first, second, third = evaluate(PROBABILITIES, make(LABELS), ("a", "b", "c")).classes

    assert first.precision == pytest.approx(2 / 3)
    assert first.recall == 1
    assert (second.precision, second.recall) == (1, 0.5)
    assert (third.precision, third.recall, third.examples) == (None, None, 0)


def test_loss_is_the_mean_negative_logarithm() -> None:
    expected = -(math.log(0.7) + math.log(0.3) + math.log(0.8) + math.log(0.5)) / 4

    assert cross_entropy(PROBABILITIES, LABELS) == pytest.approx(expected, rel=1e-6)


def test_one_certain_mistake_keeps_the_loss_finite() -> None:
    assert cross_entropy(np.array([[1, 0]], np.float32), np.array([1])) == pytest.approx(-math.log(1e-7))


def test_calibration_error_weighs_each_bin_by_its_images() -> None:
    # Confidences 0.7, 0.6, 0.8 and 0.5 fall into four bins: |1−0.7| + |0−0.6| + |1−0.8| + |1−0.5|, each of one in four.
    assert calibration_error(PROBABILITIES, LABELS) == pytest.approx((0.3 + 0.6 + 0.2 + 0.5) / 4, rel=1e-6)


def test_images_of_one_bin_are_averaged_before_they_are_compared() -> None:
    alike = np.array([[0.61, 0.39], [0.65, 0.35]], np.float32)

    assert calibration_error(alike, np.array([0, 1])) == pytest.approx(abs(0.5 - 0.63), rel=1e-5)


def test_a_perfect_classifier_is_perfectly_calibrated() -> None:
    assert calibration_error(np.eye(3, dtype=np.float32), np.arange(3)) == 0


def test_of_many_classes_the_record_has_the_commonest_mistakes_instead_of_the_matrix() -> None:
    true, predicted = np.array([0, 1, 1, 1, 2, 101]), np.array([0, 7, 7, 1, 3, 101])
    probabilities = np.eye(102, dtype=np.float32)[predicted]

    record = evaluate(probabilities, make(true), tuple(map(str, range(102)))).to_json()

    assert "confusion" not in record
    assert record["mistakes"] == [
        {"label": "1", "taken_for": "7", "images": 2},
        {"label": "2", "taken_for": "3", "images": 1},
    ]


@pytest.mark.parametrize(
    ("hits", "examples", "interval"),
    [
        # The last is Newcombe's, "Two-sided confidence intervals for the single proportion", 1998, table I.
        pytest.param(0, 10, (0.0, 0.2775), id="none"),
        pytest.param(10, 10, (0.7225, 1.0), id="all"),
        pytest.param(5, 10, (0.2366, 0.7634), id="half"),
        pytest.param(81, 263, (0.2553, 0.3662), id="newcombe"),
    ],
)
def test_the_interval_is_wilsons(hits: int, examples: int, interval: Interval) -> None:
    assert wilson_interval(hits, examples) == pytest.approx(interval, abs=5e-5)


def test_more_images_make_it_narrower() -> None:
    narrow, wide = wilson_interval(9_900, 10_000), wilson_interval(990, 1_000)

    assert wide[0] < narrow[0] < 0.99 < narrow[1] < wide[1]


def make(labels: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Split:
    return Split(np.zeros((len(labels), 2, 2, 1), np.uint8), labels)
