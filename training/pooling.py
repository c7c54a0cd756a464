"""Pooling layers by name; minimum pooling, which Keras does not have, is defined here."""

from typing import Any

import keras


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
