"""Networks, built from their architecture. All take pixels scaled to 0…1, and all end in probabilities.

Whoever feeds a network scales the pixels, so that its table has no layer for that.
"""

from typing import Any

import keras

from training.errors import InvalidNetwork
from training.models.architectures import Architecture, Plain, Textbook
from training.models.flip_tta import Mirror, MirrorAverage
from training.models.resnet import residual
from training.models.resnet9 import plain
from training.models.textbook import textbook

Network = Any  # a keras.Model; Keras ships no types
Shape = tuple[int, int, int]  # height, width and channels of an image


def build(
    architecture: Architecture,
    shape: Shape,
    classes: int,
    name: str,
    *,
    precision: str = "float32",
    mirrored: bool = False,
) -> Network:
    """The network, its weights drawn at random; raises InvalidNetwork where it would leave nothing of the image.

    `precision` is what its layers compute in: float32 or mixed_bfloat16, Keras's names; the weights are float32. A
    `mirrored` one has the same weights and answers by the mean logits of an image and its mirror image.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return _build(architecture, shape, classes, name, mirrored)
    except ValueError as error:
        raise InvalidNetwork(
            f"{architecture} leaves nothing of a {shape[0]}×{shape[1]} image: take smaller strides or padding same"
        ) from error
    finally:
        keras.config.set_dtype_policy(before)


def _build(architecture: Architecture, shape: Shape, classes: int, name: str, mirrored: bool) -> Network:
    image = keras.Input(shape, name="image")
    if isinstance(architecture, Textbook):
        return keras.Sequential([image, *textbook(architecture, classes)], name=name)
    x = Mirror(name="mirror")(image) if mirrored else image
    x = plain(architecture, x) if isinstance(architecture, Plain) else residual(architecture, x)
    # Probabilities need more digits than bfloat16 has, in which the rest may be computed while it learns.
    x = keras.layers.Dense(classes, name="dense", dtype="float32")(x)
    x = MirrorAverage(name="mirror_average")(x) if mirrored else x
    return keras.Model(image, keras.layers.Softmax(name="softmax", dtype="float32")(x), name=name)
