from typing import Any

import keras
import numpy as np
import pytest

from training.errors import InvalidNetwork
from training.evaluation.calibration import rescale
from training.models.temperature import apply_temperature

layers = keras.layers
TEMPERATURE = 2.5
IMAGES = np.random.default_rng(1).random((16, 6), np.float32) * 20

ENDINGS = {
    "dense with softmax": [layers.Dense(4, activation="softmax")],
    "dense without bias": [layers.Dense(4, activation="softmax", use_bias=False)],
    "dense and softmax": [layers.Dense(4), layers.Softmax()],
    "dense and an activation": [layers.Dense(4), layers.Activation("softmax")],
}
OTHERS = {
    "sigmoid": [layers.Dense(4, activation="sigmoid")],
    "logits": [layers.Dense(4)],
    "no dense": [layers.Softmax()],
    "something in between": [layers.Dense(4), layers.Dropout(0.5), layers.Softmax()],
    "two activations": [layers.Dense(4, activation="relu"), layers.Softmax()],
    "something behind": [layers.Dense(4, activation="softmax"), layers.Reshape((2, 2))],
}


def build(ending: list[Any]) -> Any:
    keras.utils.set_random_seed(1)
    layers_ = [type(layer).from_config(layer.get_config()) for layer in ending]
    return keras.Sequential([keras.Input((6,)), layers.Dense(5, activation="relu"), *layers_])


def functional(ending: list[Any]) -> Any:
    """The same network in Keras's other form."""
    sequential = build(ending)
    return keras.Model(sequential.inputs, sequential.outputs)


@pytest.mark.parametrize("form", [build, functional])
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_a_tempered_network_gives_softened_probabilities(ending: list[Any], form: Any) -> None:
    network = form(ending)
    before = network.predict(IMAGES, verbose=0)

    apply_temperature(network, TEMPERATURE)

    after = network.predict(IMAGES, verbose=0)
    assert np.abs(after - before).max() > 0.1
    assert np.abs(after - rescale(before, TEMPERATURE)).max() < 1e-6


def test_tempering_adds_no_layer_and_no_parameter() -> None:
    network = build(ENDINGS["dense with softmax"])
    before = [layer.name for layer in network.layers], network.count_params()

    apply_temperature(network, TEMPERATURE)

    assert ([layer.name for layer in network.layers], network.count_params()) == before


@pytest.mark.parametrize("ending", OTHERS.values(), ids=OTHERS)
def test_other_endings_are_refused_and_left_as_they_are(ending: list[Any]) -> None:
    network = build(ending)
    before = network.get_weights()

    with pytest.raises(InvalidNetwork, match="only where it ends in a Dense layer with softmax"):
        apply_temperature(network, TEMPERATURE)

    assert all((one == other).all() for one, other in zip(network.get_weights(), before, strict=True))


def test_of_two_outputs_neither_is_tempered() -> None:
    source = keras.Input((6,))
    network = keras.Model(source, [layers.Dense(4, activation="softmax")(source) for _ in range(2)])

    with pytest.raises(InvalidNetwork):
        apply_temperature(network, TEMPERATURE)
