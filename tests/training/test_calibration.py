import json

import numpy as np
import pytest

from training.calibration import COLDEST, HOTTEST, Threshold, calibrate, choose_threshold, fit_temperature, soften
from training.datasets import Labels
from training.errors import InvalidData
from training.evaluation import Probabilities, calibration_error, cross_entropy

IMAGES, CLASSES = 20_000, 5


def softmax(logits: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Probabilities:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Probabilities = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities


def too_sure(by: float) -> tuple[Probabilities, Labels]:
    """Probabilities whose logits are `by` times what the labels were drawn from."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (IMAGES, CLASSES))
    labels = (softmax(logits).cumsum(axis=1) < random.random((IMAGES, 1))).sum(axis=1)
    return softmax(logits * by), np.minimum(labels, CLASSES - 1)


def two_classes(*confidences: float) -> Probabilities:
    """Images that are taken for class 0, each with a confidence."""
    first = np.array(confidences, np.float32)
    return np.stack([first, 1 - first], axis=1)


# The temperature


@pytest.mark.parametrize("by", [0.25, 1.0, 3.0])
def test_the_temperature_finds_by_how_much_a_network_is_too_sure(by: float) -> None:
    assert fit_temperature(*too_sure(by)) == pytest.approx(by, rel=0.03)


def test_no_temperature_beside_it_makes_the_labels_likelier() -> None:
    probabilities, labels = too_sure(2.0)
    best = fit_temperature(probabilities, labels)

    losses = [cross_entropy(soften(probabilities, best * factor), labels) for factor in (0.99, 1.0, 1.01)]

    assert losses[1] == min(losses)


def test_softened_probabilities_are_calibrated() -> None:
    probabilities, labels = too_sure(3.0)

    softened = soften(probabilities, fit_temperature(probabilities, labels))

    assert calibration_error(probabilities, labels) > 0.1
    assert calibration_error(softened, labels) < 0.015


@pytest.mark.parametrize(
    ("labels", "bound"), [([0, 1], COLDEST), ([1, 0], HOTTEST)], ids=["always right", "always wrong"]
)
def test_the_temperature_has_bounds(labels: list[int], bound: float) -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)

    assert fit_temperature(probabilities, np.array(labels)) == pytest.approx(bound, rel=1e-5)


def test_a_network_that_tells_nothing_apart_is_left_as_it_is() -> None:
    assert fit_temperature(np.full((4, 2), 0.5, np.float32), np.array([0, 1, 1, 1])) == 1


def test_a_certain_mistake_softens_without_end_to_the_loss() -> None:
    probabilities = np.array([[1, 0]] * 9 + [[0, 1]], np.float32)

    temperature = fit_temperature(probabilities, np.zeros(10, np.int64))

    # Right 9 times of 10 with logits 87.3 apart (1.2e-38): 1 / (1 + exp(-87.3 / T)) = 0.9, but for the bound.
    assert temperature == pytest.approx(HOTTEST, rel=1e-5)


def test_a_zero_counts_as_the_smallest_number_of_float32() -> None:
    zero, tiny = np.array([[1, 0]], np.float32), np.array([[1, np.finfo(np.float32).tiny]], np.float32)

    assert soften(zero, 30).tolist() == soften(tiny, 30).tolist()
    assert soften(zero, 30)[0, 1] == pytest.approx(1 / (1 + np.exp(87.336545 / 30)), rel=1e-5)


def test_a_temperature_of_one_changes_nothing() -> None:
    probabilities, _ = too_sure(1.0)

    assert np.abs(soften(probabilities, 1.0) - probabilities).max() < 1e-6


def test_softening_keeps_the_order_and_sums_to_one() -> None:
    probabilities, _ = too_sure(1.0)

    softened = soften(probabilities, 3.0)

    assert softened.dtype == np.float32
    assert (softened.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert np.abs(softened.sum(axis=1) - 1).max() < 1e-6
    assert (softened.max(axis=1) < probabilities.max(axis=1)).all()


# The threshold


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
    probabilities, labels = too_sure(1.0)

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


def test_a_calibration_is_recorded_with_the_threshold_for_softened_probabilities() -> None:
    probabilities, labels = too_sure(3.0)

    found = calibrate(probabilities, labels, "validation", precision=0.9)

    softened = soften(probabilities, found.temperature)
    assert found.threshold == choose_threshold(softened, labels, 0.9)
    assert json.loads(json.dumps(found.to_json())) == {
        "split": "validation",
        "images": IMAGES,
        "temperature": found.temperature,
        "expected_calibration_error_before": calibration_error(probabilities, labels),
        "expected_calibration_error_after": calibration_error(softened, labels),
        "threshold": {
            "threshold": found.threshold.threshold,
            "precision": found.threshold.precision,
            "coverage": found.threshold.coverage,
        },
    }


def test_without_a_wanted_precision_there_is_no_threshold() -> None:
    found = calibrate(*too_sure(3.0), "validation")

    assert found.threshold is None
    assert "threshold" not in found.to_json()
