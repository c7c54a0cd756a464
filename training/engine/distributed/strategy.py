"""Where a network is trained: on one device, on all GPUs of a machine, or by many processes (see `multi_worker`).

All learn from the same batches in the same order and take the same steps, up to the rounding of sums and, in
networks with batch normalisation, to statistics over each part of a batch instead of over the whole of it.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import tensorflow as tf
from numpy.typing import NDArray

from training.engine.distributed.shard import Shard

Arrays = Sequence[NDArray[Any]]


class Distribution:
    """One process with whatever device Keras takes by itself; the others change what differs."""

    shard: Shard | None = None  # the part of every batch that this process computes; None: all of it, on one device
    chief = True  # evaluates, publishes and writes files

    def scope(self) -> AbstractContextManager[Any]:
        """Where the network is built and compiled."""
        return nullcontext()

    def sgd(self) -> Any:
        """The class of the optimizer."""
        return keras.optimizers.SGD

    def naming_lost_workers(self) -> AbstractContextManager[None]:
        """Inside of it, WorkerLost is raised once another process has ended."""
        return nullcontext()

    def broadcast(self, values: Arrays) -> Arrays:
        """The chief's values of these."""
        return values

    def check_same_run(self, identity: str) -> None:
        """Raise InvalidCluster where the other processes train something else; `identity` is hexadecimal."""

    def callbacks(self, steps: int) -> list[Any]:  # noqa: ARG002  # subclasses need it
        """What must happen while the network learns, in epochs of so many steps."""
        return []

    def describe(self) -> dict[str, int]:
        """What the metadata says of it."""
        return {}


class MirroredDevices(Distribution):
    """Several devices of this machine, by tf.distribute.MirroredStrategy; each takes an equal part of every batch."""

    shard: Shard

    def __init__(self, names: Sequence[str]) -> None:
        self._strategy = tf.distribute.MirroredStrategy(list(names))
        self.shard = Shard(devices=len(names))

    def scope(self) -> AbstractContextManager[Any]:
        """The strategy's."""
        scope: AbstractContextManager[Any] = self._strategy.scope()
        return scope

    def describe(self) -> dict[str, int]:
        """How many devices."""
        return {"devices": self.shard.devices}


def all_gpus() -> Distribution:
    """Every GPU of this machine; what Keras takes by itself where there are fewer than two."""
    names = [device.name for device in tf.config.list_logical_devices("GPU")]
    return MirroredDevices(names) if len(names) > 1 else Distribution()
