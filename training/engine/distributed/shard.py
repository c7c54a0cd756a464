"""Which part of every batch is computed where, so that all parts together give what one process would."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

Tensor = Any  # a tf.Tensor; TensorFlow ships no types


@dataclass(frozen=True)
class Shard:
    """One of the equal shards of a batch, one a process; `devices` of this process take equal parts of it."""

    index: int = 0
    processes: int = 1
    devices: int = 1

    @property
    def parts(self) -> int:
        """How many parts a batch has, over all processes."""
        return self.processes * self.devices

    def take(self, count: Tensor) -> tuple[Tensor, Tensor]:
        """The places of this shard's images in a batch of so many (an int32 scalar), and each one's weight (float32).

        All parts get the same number of images, the last ones the batch's first image again, with a weight of 0. Every
        part takes the mean over its images, and the mean of these means is that over the batch: the others weigh
        padded/count.
        """
        padded = -(-count // self.parts) * self.parts
        places = tf.range(self.index, padded, self.processes)
        weight = tf.cast(padded, tf.float32) / tf.cast(count, tf.float32)
        return tf.where(places < count, places, 0), tf.where(places < count, weight, 0.0)
