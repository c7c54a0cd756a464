"""Layers by which a network answers by the mean of an image and its mirror image.

Averaging over changes that do not matter is as old as AlexNet (Krizhevsky et al., 2012, section 4.1). Both images go
through the same layers, as two in the batch.
"""

from typing import Any

import keras

Tensor = Any


@keras.saving.register_keras_serializable(package="convserve")
class Mirror(keras.layers.Layer):  # type: ignore[misc]  # Keras is untyped
    """[N, height, width, channels] to [2 N, …]: the images, then each turned left for right."""

    def call(self, inputs: Tensor) -> Tensor:
        """Keras's name for it."""
        return keras.ops.concatenate([inputs, inputs[:, :, ::-1]], axis=0)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The batch's size is free, whatever it is doubled to."""
        return shape


@keras.saving.register_keras_serializable(package="convserve")
class MirrorAverage(keras.layers.Layer):  # type: ignore[misc]  # likewise
    """[2 N, classes] to [N, classes]: the mean of what an image and its mirror image got."""

    def call(self, inputs: Tensor) -> Tensor:
        """Keras's name for it."""
        straight, mirrored = keras.ops.split(inputs, 2, axis=0)
        return (straight + mirrored) / 2

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The batch's size is free, whatever it is halved to."""
        return shape
