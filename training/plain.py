"""Plain networks: stages of convolutions, one after the other."""

from typing import Any

import keras

from training.architectures import Plain
from training.normalisation import convolution, normalisation


def plain(architecture: Plain, classes: int) -> list[Any]:
    """Its layers; the last stage is summed up by the largest answer of each filter anywhere in the image."""
    stages = (_stage(number, stage) for number, stage in enumerate(architecture.stages, 1))
    return [
        *_stem(architecture.stem),
        *(layer for stage in stages for layer in stage),
        keras.layers.GlobalMaxPooling2D(name="pool"),
        # Probabilities need more digits than bfloat16 has, in which the rest may be computed while it learns.
        keras.layers.Dense(classes, activation="softmax", name="dense", dtype="float32"),
    ]


def _stem(filters: int) -> list[Any]:
    return [keras.layers.Conv2D(filters, 2, activation="relu", name="stem")] if filters else []


def _stage(number: int, filters: tuple[int, ...]) -> list[Any]:
    """Pooling stands before the first normalisation, which then has a quarter of the values to look at."""
    layers = []
    for position, count in enumerate(filters, 1):
        layers.append(convolution(count, f"conv{number}_{position}"))
        if position == 1:
            layers.append(keras.layers.MaxPooling2D(name=f"pool{number}"))
        layers += [normalisation(f"norm{number}_{position}"), keras.layers.ReLU(name=f"relu{number}_{position}")]
    return layers
