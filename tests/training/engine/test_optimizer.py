"""The optimizer that a recipe asks for, and the accuracy that a training shows."""

from dataclasses import replace

import numpy as np
import pytest

from training.engine.trainer import Accuracy, make_optimizer
from training.recipes import RECIPES

STRONG = RECIPES["cifar10-strong"]


def test_a_constant_rate_is_a_number() -> None:
    assert float(make_optimizer(RECIPES["mnist"], 100).learning_rate) == pytest.approx(0.1)


def test_a_cosine_rises_to_the_highest_rate_and_falls_to_nothing() -> None:
    schedule = make_optimizer(replace(STRONG, warmup=0.2), 100)._learning_rate
    rates = [float(schedule(step)) for step in (0, 10, 20, 60, 100)]

    assert rates == pytest.approx([0, STRONG.learning_rate / 2, STRONG.learning_rate, STRONG.learning_rate / 2, 0])


def test_weights_decay_but_no_biases_nor_scales() -> None:
    keras = pytest.importorskip("keras")
    optimizer = make_optimizer(replace(STRONG, schedule="constant", learning_rate=0.1, weight_decay=0.5), 10)
    names = ("kernel", "bias", "gamma", "beta")
    variables = [keras.Variable(np.ones(3), name=name, dtype="float32") for name in names]
    optimizer.build(variables)
    optimizer.apply([np.zeros(3, np.float32)] * 4, variables)

    assert [float(np.array(variable)[0]) for variable in variables] == pytest.approx([0.95, 1, 1, 1])


def test_the_accuracy_counts_images_that_have_a_class_and_no_outliers() -> None:
    accuracy = Accuracy()
    labels = np.array([[1, 0], [0, 1], [0.5, 0.5], [0.5, 0.5]], np.float32)
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]], np.float32)

    accuracy.update_state(labels, probabilities)
    assert float(accuracy.result()) == pytest.approx(0.5)
    accuracy.update_state(labels, probabilities, np.array([2, 0, 7, 7], np.float32))
    assert float(accuracy.result()) == pytest.approx(0.75)
