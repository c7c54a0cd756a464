"""The textbook network: two convolutions, each followed by pooling, and one dense layer."""

from typing import Any

import keras

from training.errors import InvalidNetwork
from training.pooling import make_pooling

Network = Any  # a keras.Model; Keras ships no types


def textbook(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    filters: tuple[int, int] = (32, 64),
    kernel_size: int = 3,
    pooling: str = "max",
    strides: int = 1,
    padding: str = "same",
    name: str = "textbook",
) -> Network:
    """Conv 3×3×32 → pool 2×2 → Conv 3×3×64 → pool 2×2 → Flatten → Dense softmax.

    That is with the defaults. `filters` are those of the first and of the second convolution; `kernel_size`, `strides`
    and `padding` are of both; `pooling` is max, average or min. The input is scaled to 0…1 by whoever feeds it, so
    that the table of layers is the textbook's: 50,186 parameters on 28×28×1 with 10 classes, 60,362 on 32×32×3.
    Raises InvalidNetwork where the convolutions leave nothing to pool.
    """
    try:
        return _stack(
            input_shape,
            classes,
            filters=filters,
            kernel_size=kernel_size,
            pooling=pooling,
            strides=strides,
            padding=padding,
            name=name,
        )
    except ValueError as error:
        height, width, _ = input_shape
        raise InvalidNetwork(
            f"kernels of {kernel_size} with strides {strides} and padding {padding} leave nothing of a "
            f"{height}×{width} image to pool: take smaller strides or padding same"
        ) from error


def _stack(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    filters: tuple[int, int],
    kernel_size: int,
    pooling: str,
    strides: int,
    padding: str,
    name: str,
) -> Network:
    def convolve(count: int, suffix: str) -> Any:
        return keras.layers.Conv2D(count, kernel_size, strides, padding, activation="relu", name=f"conv2d{suffix}")

    # The layers' names are Keras's own first ones; left alone, Keras counts on through the life of the process.
    return keras.Sequential(
        [
            keras.Input(input_shape),
            convolve(filters[0], ""),
            make_pooling(pooling, ""),
            convolve(filters[1], "_1"),
            make_pooling(pooling, "_1"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(classes, activation="softmax", name="dense"),
        ],
        name=name,
    )
