"""The textbook network: two convolutions, each followed by pooling, and one dense layer. It defines minimum pooling."""

from typing import Any

import keras

from training.models.architectures import Textbook


@keras.saving.register_keras_serializable(package="convserve")
class MinPooling2D(keras.layers.Layer):  # type: ignore[misc]  # Keras is untyped
    """The smallest value of each window: min(x) = −max(−x), so that it runs wherever maximum pooling does."""

    def __init__(self, pool_size: tuple[int, int] = (2, 2), padding: str = "valid", **options: Any) -> None:
        super().__init__(**options)
        self.pool_size = tuple(pool_size)
        self.strides = self.pool_size
        self.padding = padding

    def call(self, inputs: Any) -> Any:
        """[N, height, width, channels] to [N, height / pool, width / pool, channels]."""
        return -keras.ops.max_pool(-inputs, self.pool_size, self.strides, self.padding)

    def get_config(self) -> dict[str, Any]:
        """What a saved network needs to build the layer again."""
        return {**super().get_config(), "pool_size": self.pool_size, "padding": self.padding}


def make_pooling(kind: str, suffix: str) -> Any:
    """A pooling layer over 2×2 windows, named as Keras names it."""
    layers = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D, "min": MinPooling2D}
    return layers[kind]((2, 2), name=f"{kind}_pooling2d{suffix}")


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
