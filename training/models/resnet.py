"""Residual networks of basic blocks: He et al., "Deep Residual Learning for Image Recognition", arXiv:1512.03385."""

from typing import Any

import keras

from training.models.architectures import Residual
from training.models.blocks import convolution, normalisation

Tensor = Any  # a symbolic keras.KerasTensor


def residual(architecture: Residual, x: Tensor) -> Tensor:
    """From the image's tensor to one of features: the mean answer of each filter over the image."""
    x = _convolve(x, architecture.stem, "stem", size=7, strides=2)
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool")(x)
    for number, (filters, blocks) in enumerate(architecture.stages, 1):
        for block in range(1, blocks + 1):
            x = _block(x, filters, f"block{number}_{block}", strides=2 if number > 1 and block == 1 else 1)
    return keras.layers.GlobalAveragePooling2D(name="average")(x)


def _block(x: Tensor, filters: int, name: str, strides: int) -> Tensor:
    """Two convolutions whose result is added to what came in, which a 1×1 convolution fits where its shape differs."""
    y = _convolve(x, filters, f"{name}_a", strides=strides)
    y = normalisation(f"{name}_b_norm")(convolution(filters, f"{name}_b")(y))
    if strides > 1 or x.shape[-1] != filters:
        x = convolution(filters, f"{name}_fit", size=1, strides=strides)(x)
        x = normalisation(f"{name}_fit_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(keras.layers.Add(name=f"{name}_add")([x, y]))


def _convolve(x: Tensor, filters: int, name: str, size: int = 3, strides: int = 1) -> Tensor:
    x = convolution(filters, name, size=size, strides=strides)(x)
    return keras.layers.ReLU(name=f"{name}_relu")(normalisation(f"{name}_norm")(x))
