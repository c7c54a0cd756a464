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
    pooling: str = "max",
    strides: int = 1,
    padding: str = "same",
    name: str = "textbook",
) -> Network:
    """Conv 3×3×32 → pool 2×2 → Conv 3×3×64 → pool 2×2 → Flatten → Dense softmax.

    `pooling` is max, average or min; `strides` and `padding` are the convolutions'. The input is scaled to 0…1 by
    whoever feeds it, so that the table of layers is the textbook's: 50,186 parameters on 28×28×1 with 10 classes,
    60,362 on 32×32×3. Raises InvalidNetwork where the strides leave nothing to pool.
    """
    try:
        return _stack(input_shape, classes, pooling=pooling, strides=strides, padding=padding, name=name)
    except ValueError as error:
        height, width, _ = input_shape
        raise InvalidNetwork(
            f"strides {strides} with padding {padding} leave nothing of a {height}×{width} image to pool: "
            "take smaller strides or padding same"
        ) from error


def _stack(
    input_shape: tuple[int, int, int], classes: int, *, pooling: str, strides: int, padding: str, name: str
) -> Network:
    # The layers' names are Keras's own first ones; left alone, Keras counts on through the life of the process.
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Conv2D(32, 3, strides, padding, activation="relu", name="conv2d"),
            make_pooling(pooling, ""),
            keras.layers.Conv2D(64, 3, strides, padding, activation="relu", name="conv2d_1"),
            make_pooling(pooling, "_1"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(classes, activation="softmax", name="dense"),
        ],
        name=name,
    )
