"""ResNet-9 and ResNet of basic blocks: stages of convolutions with batch normalization, with shortcuts around them.

Basic blocks: He et al., "Deep Residual Learning for Image Recognition", arXiv:1512.03385.
"""

from typing import Any

import keras

from training.models.architectures import ResNet, ResNet9

Tensor = Any  # a symbolic keras.KerasTensor
Layer = Any  # a keras.layers.Layer; Keras ships no types

# A tenth of each batch's statistics goes into the running ones. With Keras's hundredth they would be those of a network
# several hundred steps younger, while the learning rate still changes it quickly.
_MOMENTUM = 0.9


def _convolution(filters: int, name: str, *, size: int = 3, strides: int = 1) -> Layer:
    """Without a bias, which the normalisation after it would take away again."""
    return keras.layers.Conv2D(filters, size, strides, "same", use_bias=False, name=name)


def _batch_norm(name: str) -> Layer:
    """Batch normalisation; costs nothing when served, ONNX Runtime folds it into the convolution before it."""
    return keras.layers.BatchNormalization(momentum=_MOMENTUM, name=name)


def resnet9(architecture: ResNet9, x: Tensor) -> Tensor:
    """From the image's tensor to one of features: the largest activation of each filter over the image."""
    if architecture.stem:
        x = keras.layers.Conv2D(architecture.stem, 2, activation=architecture.activation, name="stem")(x)
    for number, filters in enumerate(architecture.stages, 1):
        x = _resnet9_stage(x, filters, architecture.activation, f"{number}")
    return keras.layers.GlobalMaxPooling2D(name="pool")(x)


def _resnet9_stage(x: Tensor, filters: tuple[int, ...], activation: str, number: str) -> Tensor:
    first, *others = filters
    x = _convolution(first, f"conv{number}_1")(x)
    # Pooling stands before the normalization, which then has a quarter of the values.
    x = keras.layers.MaxPooling2D(name=f"pool{number}")(x)
    entry = x = _norm_activation(x, activation, f"{number}_1")
    for position, count in enumerate(others, 2):
        x = _norm_activation(_convolution(count, f"conv{number}_{position}")(x), activation, f"{number}_{position}")
    shortcut = len(filters) > 2 and filters[0] == filters[-1]
    return keras.layers.Add(name=f"add{number}")([x, entry]) if shortcut else x


def _norm_activation(x: Tensor, activation: str, suffix: str) -> Tensor:
    return keras.layers.Activation(activation, name=f"{activation}{suffix}")(_batch_norm(f"norm{suffix}")(x))


def resnet(architecture: ResNet, x: Tensor) -> Tensor:
    """From the image's tensor to one of features: the mean activation of each filter over the image."""
    x = _conv_norm_relu(x, architecture.stem, "stem", size=7, strides=2)
    x = keras.layers.MaxPooling2D(3, 2, "same", name="pool")(x)
    for number, (filters, blocks) in enumerate(architecture.stages, 1):
        for block in range(1, blocks + 1):
            x = _block(x, filters, f"block{number}_{block}", strides=2 if number > 1 and block == 1 else 1)
    return keras.layers.GlobalAveragePooling2D(name="average")(x)


def _block(x: Tensor, filters: int, name: str, strides: int) -> Tensor:
    """Two convolutions whose result is added to what came in, which a 1×1 convolution fits where its shape differs."""
    y = _conv_norm_relu(x, filters, f"{name}_a", strides=strides)
    y = _batch_norm(f"{name}_b_norm")(_convolution(filters, f"{name}_b")(y))
    if strides > 1 or x.shape[-1] != filters:
        x = _convolution(filters, f"{name}_fit", size=1, strides=strides)(x)
        x = _batch_norm(f"{name}_fit_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(keras.layers.Add(name=f"{name}_add")([x, y]))


def _conv_norm_relu(x: Tensor, filters: int, name: str, size: int = 3, strides: int = 1) -> Tensor:
    x = _convolution(filters, name, size=size, strides=strides)(x)
    return keras.layers.ReLU(name=f"{name}_relu")(_batch_norm(f"{name}_norm")(x))
