"""Networks, built from their architecture. All take pixels scaled to 0…1, and all end in probabilities.

Whoever feeds a network scales the pixels, so that its table has no layer for that.
"""

from typing import Any

import keras

from training.architectures import Architecture, Plain, Residual, Textbook
from training.errors import InvalidNetwork
from training.plain import plain
from training.residual import residual
from training.textbook import textbook

Network = Any  # a keras.Model; Keras ships no types
Shape = tuple[int, int, int]  # height, width and channels of an image


def build(architecture: Architecture, shape: Shape, classes: int, name: str, precision: str = "float32") -> Network:
    """The network, its weights drawn at random; raises InvalidNetwork where it would leave nothing of the image.

    `precision` is what its layers compute in: float32 or mixed_bfloat16, Keras's names; the weights are float32.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return _build(architecture, shape, classes, name)
    except ValueError as error:
        raise InvalidNetwork(
            f"{architecture} leaves nothing of a {shape[0]}×{shape[1]} image: take smaller strides or padding same"
        ) from error
    finally:
        keras.config.set_dtype_policy(before)


def _build(architecture: Architecture, shape: Shape, classes: int, name: str) -> Network:
    image = keras.Input(shape)
    match architecture:
        case Textbook():
            return keras.Sequential([image, *textbook(architecture, classes)], name=name)
        case Plain():
            return keras.Sequential([image, *plain(architecture, classes)], name=name)
        case Residual():
            return keras.Model(image, residual(architecture, image, classes), name=name)
