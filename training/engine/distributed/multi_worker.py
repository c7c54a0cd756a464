"""Many processes that train one network together, on one machine or many, by TensorFlow's own means."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.engine.distributed.cluster import Cluster
from training.engine.distributed.shard import Shard
from training.engine.distributed.strategy import Arrays, Distribution
from training.errors import InvalidCluster, WorkerLost


def connect(
    cluster: Cluster, timeout: float, strategy: Callable[[Any], Any] = tf.distribute.MultiWorkerMirroredStrategy
) -> Any:
    """The strategy of a cluster once all its processes are there.

    It checks them from then on. TensorFlow waits for them for ever, so a thread does; raises WorkerLost after
    `timeout` seconds, and InvalidCluster where this process cannot listen at its address.
    """
    outcome: list[Any] = []

    def make() -> None:
        try:
            outcome.append(strategy(_resolver(cluster)))
        except Exception as error:  # is raised below, in the caller's thread
            outcome.append(error)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    thread.join(timeout)
    if not outcome:
        raise WorkerLost(f"not all {cluster.size} processes of TF_CONFIG have come within {timeout:g} seconds")
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


class SyncEpoch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no type information
    """A callback for `fit` that gives all processes the means of their running statistics and of their figures."""

    def __init__(self, steps: int, mean_of_statistics: Mean, mean_of_figures: Mean) -> None:
        super().__init__()
        self._steps = steps
        self._mean_of_statistics = mean_of_statistics
        self._mean_of_figures = mean_of_figures

    def on_train_batch_end(self, batch: int, *_: object, **__: object) -> None:
        """Keras's name for it: the statistics of normalisation, before the validation."""
        statistics = self.model.non_trainable_weights
        if batch == self._steps - 1 and statistics:
            means = self._mean_of_statistics([tf.convert_to_tensor(variable.value) for variable in statistics])
            for variable, mean in zip(statistics, means, strict=True):
                variable.assign(mean)

    def on_epoch_end(self, _epoch: int, logs: dict[str, float]) -> None:
        """Loss and accuracy on the training images; the callbacks after this one read them in `logs`."""
        names = sorted(name for name in logs if not name.startswith("val_"))
        means = self._mean_of_figures([tf.constant(float(logs[name]), tf.float64) for name in names])
        logs.update(zip(names, map(float, means), strict=True))


_TIMEOUT = 300.0  # seconds in which all processes must have connected; schedulers start them minutes apart
_GROUP = 1  # TensorFlow's number for the set of processes
_GRADIENTS, _IDENTITY, _STATE, _FIGURES, _STATISTICS = range(1, 6)  # and for each thing that they take the mean of
# TensorFlow's errors once the connection to another process has broken, or a check has failed.
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)


class MultiWorker(Distribution):
    """One of several processes, on one machine or many, which sum up their gradients in every step.

    Keras 3.15's `fit` does not work under tf.distribute.MultiWorkerMirroredStrategy
    (https://github.com/keras-team/keras/issues/20585): it takes the processes' batches for tensors. So the strategy
    only connects the processes and notices when one has ended; each fits its own copy of the network on its own shard
    of every batch, and the optimizer takes the mean of all gradients. All copies stay equal to the last bit.
    """

    shard: Shard

    def __init__(self, cluster: Cluster, timeout: float = _TIMEOUT) -> None:
        self._strategy = connect(cluster, timeout)  # referenced as long as the processes are to be checked
        self.shard = Shard(cluster.index, cluster.size)
        self.chief = cluster.index == 0

    def sgd(self) -> Any:
        """SGD with the gradients of all processes."""
        return averaging_sgd(lambda gradients: self.mean(gradients, _GRADIENTS))

    def mean(self, tensors: Sequence[Tensor], what: int) -> list[Tensor]:
        """The mean of each tensor over all processes, which all call this, for the same thing and in the same order."""
        flat = tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], 0)
        total = tf.raw_ops.CollectiveReduceV2(
            input=flat,
            group_size=self.shard.processes,
            group_key=_GROUP,
            instance_key=what,
            ordering_token=[],
            merge_op="Add",
            final_op="Id",
        )
        parts = tf.split(total / self.shard.processes, [tensor.shape.num_elements() for tensor in tensors])
        return [tf.reshape(part, tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]

    @contextmanager
    def naming_lost_workers(self) -> Iterator[None]:
        """TensorFlow reports a broken connection at once, a machine that does not answer after a minute."""
        try:
            yield
        except _LOST as error:
            raise WorkerLost(
                "another process is gone, see what it said: start all of them again; with --checkpoint they go on "
                "after the last whole epoch"
            ) from error

    def broadcast(self, values: Arrays) -> Arrays:
        """Computed in float64, which holds every type of a network's and its optimizer's variables."""
        weight = self.shard.processes if self.chief else 0
        own = [tf.constant(value.astype(np.float64) * weight) for value in values]
        of_chief = self.mean(own, _STATE)
        return [np.asarray(got).astype(value.dtype) for got, value in zip(of_chief, values, strict=True)]

    def check_same_run(self, identity: str) -> None:
        """Each process's number must equal the mean of all."""
        number = tf.constant(float(int(identity[:8], 16)), tf.float64)
        with self.naming_lost_workers():
            (mean,) = self.mean([number], _IDENTITY)
        if float(mean) != float(number):
            raise InvalidCluster(
                "the processes do not train the same: start all of them with the same command, on the same data"
            )

    def callbacks(self, steps: int) -> list[Any]:
        """After each epoch all processes get the means of their running statistics and figures."""
        return [
            SyncEpoch(steps, lambda values: self.mean(values, _STATISTICS), lambda values: self.mean(values, _FIGURES))
        ]

    def describe(self) -> dict[str, int]:
        """How many processes."""
        return {"workers": self.shard.processes}


def averaging_sgd(mean: Mean) -> Any:
    """A class of SGD that takes the mean of every process's gradients before it does anything with them."""

    class AveragedSGD(keras.optimizers.SGD):  # type: ignore[misc]  # Keras ships no type information
        def apply(self, grads: list[Tensor], trainable_variables: list[Any] | None = None) -> None:
            super().apply(mean(grads), trainable_variables)

    return AveragedSGD
