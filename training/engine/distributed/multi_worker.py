"""Many processes that train one network together, on one machine or many, by TensorFlow's own means."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.engine.distributed.cluster import Cluster
from training.engine.distributed.shard import Share
from training.engine.distributed.strategy import Arrays, Distribution
from training.errors import InvalidCluster, WorkerLost


def connect(
    cluster: Cluster, patience: float, strategy: Callable[[Any], Any] = tf.distribute.MultiWorkerMirroredStrategy
) -> Any:
    """The strategy of a cluster once all its processes are there.

    It checks them from then on. TensorFlow waits for them for ever, so a thread does; raises WorkerLost after
    `patience` seconds, and InvalidCluster where this process cannot listen at its address.
    """
    outcome: list[Any] = []

    def make() -> None:
        try:
            outcome.append(strategy(_resolver(cluster)))
        except Exception as error:  # is raised below, where somebody hears it
            outcome.append(error)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    thread.join(patience)
    if not outcome:
        raise WorkerLost(f"not all {cluster.size} processes of TF_CONFIG have come within {patience:g} seconds")
    if isinstance(outcome[0], Exception):
        raise InvalidCluster(f"this process cannot take its address in TF_CONFIG: {outcome[0]}") from outcome[0]
    return outcome[0]


def _resolver(cluster: Cluster) -> Any:
    return tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({kind: list(addresses) for kind, addresses in cluster.addresses.items()}),
        task_type=cluster.type,
        task_id=cluster.task,
        rpc_layer="grpc",
    )


Tensor = Any  # a tf.Tensor; TensorFlow ships no types
Mean = Callable[[Sequence[Tensor]], list[Tensor]]  # over all processes, of each tensor


class Agreement(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no type information
    """A callback for `fit` that makes the processes' running statistics and figures everybody's."""

    def __init__(self, steps: int, mean_of_statistics: Mean, mean_of_figures: Mean) -> None:
        super().__init__()
        self._steps = steps
        self._mean_of_statistics = mean_of_statistics
        self._mean_of_figures = mean_of_figures

    def on_train_batch_end(self, batch: int, *_: object, **__: object) -> None:
        """Keras's name for it: the statistics of normalisation, before the held out images are looked at."""
        statistics = self.model.non_trainable_weights
        if batch == self._steps - 1 and statistics:
            means = self._mean_of_statistics([tf.convert_to_tensor(variable.value) for variable in statistics])
            for variable, mean in zip(statistics, means, strict=True):
                variable.assign(mean)

    def on_epoch_end(self, _epoch: int, logs: dict[str, float]) -> None:
        """Loss and accuracy of what was learned from; the callbacks after this one read them in `logs`."""
        names = sorted(name for name in logs if not name.startswith("val_"))
        means = self._mean_of_figures([tf.constant(float(logs[name]), tf.float64) for name in names])
        logs.update(zip(names, map(float, means), strict=True))


_PATIENCE = 300.0  # seconds until all processes must be there; schedulers start them minutes apart
_GROUP = 1  # TensorFlow's number for the set of processes
_GRADIENTS, _IDENTITY, _STATE, _FIGURES, _STATISTICS = range(1, 6)  # and for each thing that they take the mean of
# What TensorFlow says once the connection to another process has broken, or a check has found it gone.
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)


class Workers(Distribution):
    """One of several processes, on one machine or many, which sum up their gradients in every step.

    Keras 3.15's `fit` does not work under tf.distribute.MultiWorkerMirroredStrategy
    (https://github.com/keras-team/keras/issues/20585): it takes the processes' batches for tensors. So the strategy
    only connects the processes and notices when one is gone; each fits its own copy of the network on its own share
    of every batch, and the optimizer takes the mean of all gradients. All copies stay equal to the last bit.
    """

    def __init__(self, cluster: Cluster, patience: float = _PATIENCE) -> None:
        self._strategy = connect(cluster, patience)  # is kept: its end would end the checks
        self.share = Share(cluster.index, cluster.size)
        self.chief = cluster.index == 0

    def optimizer(self) -> Any:
        """SGD with the gradients of all processes."""
        return averaged(lambda gradients: self.mean(gradients, _GRADIENTS))

    def mean(self, tensors: Sequence[Tensor], what: int) -> list[Tensor]:
        """The mean of each tensor over all processes, which all call this, for the same thing and in the same order."""
        flat = tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], 0)
        total = tf.raw_ops.CollectiveReduceV2(
            input=flat,
            group_size=self.share.processes,
            group_key=_GROUP,
            instance_key=what,
            ordering_token=[],
            merge_op="Add",
            final_op="Id",
        )
        parts = tf.split(total / self.share.processes, [tensor.shape.num_elements() for tensor in tensors])
        return [tf.reshape(part, tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]

    @contextmanager
    def watch(self) -> Iterator[None]:
        """TensorFlow tells of a broken connection at once, of a silent machine after a minute."""
        try:
            yield
        except _LOST as error:
            raise WorkerLost(
                "another process is gone, see what it said: start all of them again; with --checkpoint they go on "
                "after the last whole epoch"
            ) from error

    def follow(self, values: Arrays) -> Arrays:
        """Float64 holds all that a network and its optimizer count in."""
        weight = self.share.processes if self.chief else 0
        mine = [tf.constant(value.astype(np.float64) * weight) for value in values]
        theirs = self.mean(mine, _STATE)
        return [np.asarray(got).astype(value.dtype) for got, value in zip(theirs, values, strict=True)]

    def check(self, identity: str) -> None:
        """Everybody's own number is the mean of all."""
        number = tf.constant(float(int(identity[:8], 16)), tf.float64)
        with self.watch():
            (mean,) = self.mean([number], _IDENTITY)
        if float(mean) != float(number):
            raise InvalidCluster(
                "the processes do not train the same: start all of them with the same command, on the same data"
            )

    def callbacks(self, steps: int) -> list[Any]:
        """The processes' running statistics and figures become everybody's."""
        return [Agreement(steps, lambda some: self.mean(some, _STATISTICS), lambda some: self.mean(some, _FIGURES))]

    def describe(self) -> dict[str, int]:
        """How many processes."""
        return {"workers": self.share.processes}


def averaged(mean: Mean) -> Any:
    """A class of SGD that takes the mean of every process's gradients before it does anything with them."""

    class AveragedSGD(keras.optimizers.SGD):  # type: ignore[misc]  # Keras ships no type information
        def apply(self, grads: list[Tensor], trainable_variables: list[Any] | None = None) -> None:
            super().apply(mean(grads), trainable_variables)

    return AveragedSGD
