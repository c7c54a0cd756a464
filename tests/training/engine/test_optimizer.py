"""The optimizer that a recipe asks for."""

from dataclasses import replace

import numpy as np
import pytest

from training.engine.trainer import make_optimizer
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
