"""A convolution with batch normalisation and ReLU: what all networks but the textbook's are made of."""

from typing import Any

import keras

Layer = Any  # a keras.layers.Layer; Keras ships no types

# A tenth of each batch's statistics goes into the running ones. With Keras's hundredth they would be those of a network
# several hundred steps younger, while the learning rate still changes it quickly.
_MOMENTUM = 0.9


def convolution(filters: int, name: str, *, size: int = 3, strides: int = 1) -> Layer:
    """Without a bias, which the normalisation after it would take away again."""
    return keras.layers.Conv2D(filters, size, strides, "same", use_bias=False, name=name)


def normalisation(name: str) -> Layer:
    """Batch normalisation; costs nothing when served, ONNX Runtime folds it into the convolution before it."""
    return keras.layers.BatchNormalization(momentum=_MOMENTUM, name=name)
