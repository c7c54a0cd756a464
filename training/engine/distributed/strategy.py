"""Where a network is trained: by one device or by all GPUs of a machine; by many processes, see `workers`.

All learn from the same batches in the same order and take the same steps, up to the rounding of sums and, in
networks with batch normalisation, to statistics over each part of a batch instead of over the whole of it.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import tensorflow as tf
from numpy.typing import NDArray

from training.engine.distributed.shard import Share

Arrays = Sequence[NDArray[Any]]


class Distribution:
    """One process with whatever device Keras takes by itself; the others change what differs."""

    share = Share()
    chief = True  # evaluates, publishes and keeps files

    def scope(self) -> AbstractContextManager[Any]:
        """Where the network is built and compiled."""
        return nullcontext()

    def optimizer(self) -> Any:
        """The class of the optimizer."""
        return keras.optimizers.SGD

    def watch(self) -> AbstractContextManager[None]:
        """Raises WorkerLost inside of it once another process is gone."""
        return nullcontext()

    def follow(self, values: Arrays) -> Arrays:
        """The chief's values of these."""
        return values

    def check(self, identity: str) -> None:
        """Raise InvalidCluster where the other processes train something else; `identity` is hexadecimal."""

    def callbacks(self, steps: int) -> list[Any]:  # noqa: ARG002  # for those who need it
        """What must happen while the network learns, in epochs of so many steps."""
        return []

    def describe(self) -> dict[str, int]:
        """What the metadata says of it."""
        return {}


class Devices(Distribution):
    """Several devices of this machine, by tf.distribute.MirroredStrategy; each takes an equal part of every batch."""

    def __init__(self, names: Sequence[str]) -> None:
        self._strategy = tf.distribute.MirroredStrategy(list(names))
        self.share = Share(devices=len(names))

    def scope(self) -> AbstractContextManager[Any]:
        """The strategy's."""
        scope: AbstractContextManager[Any] = self._strategy.scope()
        return scope

    def describe(self) -> dict[str, int]:
        """How many devices."""
        return {"devices": self.share.devices}


def all_gpus() -> Distribution:
    """Every GPU of this machine; what Keras takes by itself where there are fewer than two."""
    names = [device.name for device in tf.config.list_logical_devices("GPU")]
    return Devices(names) if len(names) > 1 else Distribution()
