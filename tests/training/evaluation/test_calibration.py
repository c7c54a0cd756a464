"""The temperature that corrects probabilities, and the threshold below which a model abstains."""

import json

import numpy as np
import pytest

from tests.support.training.probabilities import IMAGES, overconfident
from training.errors import InvalidData
from training.evaluation.calibration import (
    MAX_TEMPERATURE,
    MIN_MISTAKES,
    MIN_TEMPERATURE,
    Threshold,
    calibrate,
    choose_threshold,
    fit_temperature,
    rescale,
)
from training.evaluation.metrics import Probabilities, calibration_error, cross_entropy


def two_classes(*confidences: float) -> Probabilities:
    """Images predicted as class 0, each with a confidence."""
    first = np.array(confidences, np.float32)
    return np.stack([first, 1 - first], axis=1)


@pytest.mark.parametrize("by", [0.25, 1.0, 3.0])
def test_the_temperature_is_the_factor_of_a_networks_overconfidence(by: float) -> None:
    assert fit_temperature(*overconfident(by)) == pytest.approx(by, rel=0.03)


def test_no_neighbouring_temperature_makes_the_labels_likelier() -> None:
    probabilities, labels = overconfident(2.0)
    best = fit_temperature(probabilities, labels)

    losses = [cross_entropy(rescale(probabilities, best * factor), labels) for factor in (0.99, 1.0, 1.01)]

    assert losses[1] == min(losses)


def test_rescaled_probabilities_are_calibrated() -> None:
    probabilities, labels = overconfident(3.0)

    rescaled = rescale(probabilities, fit_temperature(probabilities, labels))

    assert calibration_error(probabilities, labels) > 0.1
    assert calibration_error(rescaled, labels) < 0.015


@pytest.mark.parametrize(
    ("labels", "bound"), [([0, 1], MIN_TEMPERATURE), ([1, 0], MAX_TEMPERATURE)], ids=["always right", "always wrong"]
)
def test_the_temperature_has_bounds(labels: list[int], bound: float) -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)

    assert fit_temperature(probabilities, np.array(labels)) == pytest.approx(bound, rel=1e-5)


def test_a_network_with_equal_probabilities_is_not_changed() -> None:
    assert fit_temperature(np.full((4, 2), 0.5, np.float32), np.array([0, 1, 1, 1])) == 1


def test_a_certain_mistake_leads_to_the_highest_temperature() -> None:
    probabilities = np.array([[1, 0]] * 9 + [[0, 1]], np.float32)

    temperature = fit_temperature(probabilities, np.zeros(10, np.int64))

    # Right 9 times of 10 with logits 87.3 apart (1.2e-38): 1 / (1 + exp(-87.3 / T)) = 0.9, but for the bound.
    assert temperature == pytest.approx(MAX_TEMPERATURE, rel=1e-5)


def test_a_zero_counts_as_the_smallest_number_of_float32() -> None:
    zero, tiny = np.array([[1, 0]], np.float32), np.array([[1, np.finfo(np.float32).tiny]], np.float32)

    assert rescale(zero, 30).tolist() == rescale(tiny, 30).tolist()
    assert rescale(zero, 30)[0, 1] == pytest.approx(1 / (1 + np.exp(87.336545 / 30)), rel=1e-5)


def test_a_temperature_of_one_changes_nothing() -> None:
    probabilities, _ = overconfident(1.0)

    assert np.abs(rescale(probabilities, 1.0) - probabilities).max() < 1e-6


def test_rescaling_keeps_the_order_and_sums_to_one() -> None:
    probabilities, _ = overconfident(1.0)

    rescaled = rescale(probabilities, 3.0)

    assert rescaled.dtype == np.float32
    assert (rescaled.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert np.abs(rescaled.sum(axis=1) - 1).max() < 1e-6
    assert (rescaled.max(axis=1) < probabilities.max(axis=1)).all()


def test_a_calibration_is_recorded_with_the_threshold_for_rescaled_probabilities() -> None:
    probabilities, labels = overconfident(3.0)

    found = calibrate(probabilities, labels, "validation", precision=0.9)

    rescaled = rescale(probabilities, found.temperature)
    assert found.threshold == choose_threshold(rescaled, labels, 0.9)
    assert json.loads(json.dumps(found.to_json())) == {
        "split": "validation",
        "images": IMAGES,
        "temperature": found.temperature,
        "expected_calibration_error_before": calibration_error(probabilities, labels),
        "expected_calibration_error_after": calibration_error(rescaled, labels),
        "threshold": {
            "threshold": found.threshold.threshold,
            "precision": found.threshold.precision,
            "coverage": found.threshold.coverage,
        },
    }


def test_without_a_wanted_precision_there_is_no_threshold() -> None:
    found = calibrate(*overconfident(3.0), "validation")

    assert found.threshold is None
    assert "threshold" not in found.to_json()


@pytest.mark.parametrize(("mistakes", "fitted"), [(MIN_MISTAKES - 1, False), (MIN_MISTAKES, True)])
def test_a_temperature_needs_mistakes_to_be_fitted_to(mistakes: int, fitted: bool) -> None:
    labels = np.array([1] * mistakes + [0] * 200)

    found = calibrate(two_classes(*[0.99] * len(labels)), labels, "validation")

    assert (found.temperature != 1) == fitted


@pytest.mark.parametrize(
    ("precision", "threshold", "reached", "coverage"),
    [
        pytest.param(1.0, 0.75, 1.0, 0.4, id="before the first mistake"),
        pytest.param(0.75, 0.55, 0.75, 0.8, id="a mistake outweighed by later ones"),
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
def test_the_threshold_has_the_recorded_precision_and_coverage_on_its_split(precision: float) -> None:
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


def test_a_precision_out_of_reach_is_refused_with_the_best_one() -> None:
    with pytest.raises(InvalidData, match=r"no threshold makes 90\.00% .* at best 66\.67% .* 3 images: ask for less"):
        choose_threshold(two_classes(0.9, 0.8, 0.7), np.array([1, 0, 0]), 0.9)
