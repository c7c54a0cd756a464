"""The one rule that makes pixels numbers for a network: 0–255 becomes 0–1."""

from typing import Any

import tensorflow as tf

FULL_SCALE = 255.0


def scale(images: Any) -> Any:
    """What the Keras network takes, float32 of uint8 tensors; the exported graph does the same."""
    return tf.cast(images, tf.float32) / FULL_SCALE
