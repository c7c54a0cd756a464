import json

import numpy as np
import pytest

from tests.support.training.probabilities import IMAGES, overconfident
from training.evaluation.calibration import (
    COLDEST,
    ENOUGH,
    HOTTEST,
    calibrate,
    choose_threshold,
    fit_temperature,
    soften,
)
from training.evaluation.metrics import Probabilities, calibration_error, cross_entropy


@pytest.mark.parametrize("by", [0.25, 1.0, 3.0])
def test_the_temperature_finds_by_how_much_a_network_is_too_sure(by: float) -> None:
    assert fit_temperature(*overconfident(by)) == pytest.approx(by, rel=0.03)


def two_classes(*confidences: float) -> Probabilities:
    """Images that are taken for class 0, each with a confidence."""
    first = np.array(confidences, np.float32)
    return np.stack([first, 1 - first], axis=1)


def test_no_temperature_beside_it_makes_the_labels_likelier() -> None:
    probabilities, labels = overconfident(2.0)
    best = fit_temperature(probabilities, labels)

    losses = [cross_entropy(soften(probabilities, best * factor), labels) for factor in (0.99, 1.0, 1.01)]

    assert losses[1] == min(losses)


def test_softened_probabilities_are_calibrated() -> None:
    probabilities, labels = overconfident(3.0)

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
    probabilities, _ = overconfident(1.0)

    assert np.abs(soften(probabilities, 1.0) - probabilities).max() < 1e-6


def test_softening_keeps_the_order_and_sums_to_one() -> None:
    probabilities, _ = overconfident(1.0)

    softened = soften(probabilities, 3.0)

    assert softened.dtype == np.float32
    assert (softened.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert np.abs(softened.sum(axis=1) - 1).max() < 1e-6
    assert (softened.max(axis=1) < probabilities.max(axis=1)).all()


def test_a_calibration_is_recorded_with_the_threshold_for_softened_probabilities() -> None:
    probabilities, labels = overconfident(3.0)

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
    found = calibrate(*overconfident(3.0), "validation")

    assert found.threshold is None
    assert "threshold" not in found.to_json()


@pytest.mark.parametrize(("mistakes", "fitted"), [(ENOUGH - 1, False), (ENOUGH, True)])
def test_a_temperature_needs_mistakes_to_be_fitted_to(mistakes: int, fitted: bool) -> None:
    labels = np.array([1] * mistakes + [0] * 200)

    found = calibrate(two_classes(*[0.99] * len(labels)), labels, "validation")

    assert (found.temperature != 1) == fitted
