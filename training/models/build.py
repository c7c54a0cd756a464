"""Networks, built from their architecture. All take pixels rescaled to 0…1, and all end in probabilities.

The input pipeline rescales the pixels, and the exported graph does: a network has no layer for that.
"""

from typing import Any

import keras
import tensorflow as tf

from training.errors import InvalidNetwork
from training.models.architectures import Architecture, ResNet9, Textbook
from training.models.flip_tta import Mirror, MirrorAverage
from training.models.resnet import resnet, resnet9
from training.models.textbook import textbook

Network = Any  # a keras.Model; Keras ships no types
Shape = tuple[int, int, int]  # height, width and channels of an image

FULL_SCALE = 255.0


def rescale(images: Any) -> Any:
    """Float32 of 0…1 of uint8 tensors, as every network takes them; the exported graph does the same."""
    return tf.cast(images, tf.float32) / FULL_SCALE


def build(
    architecture: Architecture,
    shape: Shape,
    classes: int,
    name: str,
    *,
    precision: str = "float32",
    flip_tta: bool = False,
) -> Network:
    """The network, its weights drawn at random; raises InvalidNetwork where it would leave nothing of the image.

    `precision` is what its layers compute in: float32 or mixed_bfloat16, Keras's names; the weights are float32. With
    `flip_tta` (flip test-time augmentation) it has the same weights and computes the mean logits of an image and its
    mirror image.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return _build(architecture, shape, classes, name, flip_tta)
    except ValueError as error:
        raise InvalidNetwork(
            f"{architecture} leaves nothing of a {shape[0]}×{shape[1]} image: take smaller strides or padding same"
        ) from error
    finally:
        keras.config.set_dtype_policy(before)


def _build(architecture: Architecture, shape: Shape, classes: int, name: str, flip_tta: bool) -> Network:
    image = keras.Input(shape, name="image")
    if isinstance(architecture, Textbook):
        return keras.Sequential([image, *textbook(architecture, classes)], name=name)
    x = Mirror(name="mirror")(image) if flip_tta else image
    x = resnet9(architecture, x) if isinstance(architecture, ResNet9) else resnet(architecture, x)
    # Probabilities need more digits than bfloat16 has, in which the rest may be computed while it learns.
    x = keras.layers.Dense(classes, name="dense", dtype="float32")(x)
    x = MirrorAverage(name="mirror_average")(x) if flip_tta else x
    return keras.Model(image, keras.layers.Softmax(name="softmax", dtype="float32")(x), name=name)
