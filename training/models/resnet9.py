"""Plain networks: stages of convolutions, one after the other."""

from typing import Any

import keras

from training.models.architectures import Plain
from training.models.blocks import convolution, normalisation

Tensor = Any  # a symbolic keras.KerasTensor


def plain(architecture: Plain, x: Tensor) -> Tensor:
    """From the image's tensor to one of features: the largest answer of each filter anywhere in the image."""
    if architecture.stem:
        x = keras.layers.Conv2D(architecture.stem, 2, activation=architecture.activation, name="stem")(x)
    for number, filters in enumerate(architecture.stages, 1):
        x = _stage(x, filters, architecture.activation, f"{number}")
    return keras.layers.GlobalMaxPooling2D(name="pool")(x)


def _stage(x: Tensor, filters: tuple[int, ...], activation: str, number: str) -> Tensor:
    first, *others = filters
    x = convolution(first, f"conv{number}_1")(x)
    # Pooling stands before the normalisation, which then has a quarter of the values to look at.
    x = keras.layers.MaxPooling2D(name=f"pool{number}")(x)
    entry = x = _activate(x, activation, f"{number}_1")
    for position, count in enumerate(others, 2):
        x = _activate(convolution(count, f"conv{number}_{position}")(x), activation, f"{number}_{position}")
    shortcut = len(filters) > 2 and filters[0] == filters[-1]
    return keras.layers.Add(name=f"add{number}")([x, entry]) if shortcut else x


def _activate(x: Tensor, activation: str, suffix: str) -> Tensor:
    return keras.layers.Activation(activation, name=f"{activation}{suffix}")(normalisation(f"norm{suffix}")(x))
