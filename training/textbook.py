"""The textbook network: two convolutions, each followed by pooling, and one dense layer."""

from typing import Any

import keras

from training.architectures import Textbook
from training.pooling import make_pooling


def textbook(architecture: Textbook, classes: int) -> list[Any]:
    """Its layers: 50,186 parameters on 28×28×1 with 10 classes, 60,362 on 32×32×3."""
    first, second = architecture.filters
    size, strides, padding = architecture.kernel_size, architecture.strides, architecture.padding
    # The layers' names are Keras's own first ones; left alone, Keras counts on through the life of the process.
    return [
        keras.layers.Conv2D(first, size, strides, padding, activation="relu", name="conv2d"),
        make_pooling(architecture.pooling, ""),
        keras.layers.Conv2D(second, size, strides, padding, activation="relu", name="conv2d_1"),
        make_pooling(architecture.pooling, "_1"),
        keras.layers.Flatten(name="flatten"),
        keras.layers.Dense(classes, activation="softmax", name="dense", dtype="float32"),  # as in `networks`
    ]
