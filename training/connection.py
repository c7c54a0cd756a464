"""Connects the processes that train together, by TensorFlow's own means."""

import threading
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from training.cluster import Cluster
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
