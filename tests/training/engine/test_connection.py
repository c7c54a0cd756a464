from threading import Event
from typing import Any

import pytest

from training.engine.distributed.cluster import Cluster
from training.engine.distributed.multi_worker import connect
from training.errors import InvalidCluster, WorkerLost

CLUSTER = Cluster({"worker": ("127.0.0.1:1", "127.0.0.1:2")}, "worker", 0)


def test_a_process_that_never_comes_is_not_waited_for_for_ever() -> None:
    never = Event()

    with pytest.raises(WorkerLost, match=r"not all 2 processes of TF_CONFIG have come within 0\.05 seconds"):
        connect(CLUSTER, 0.05, lambda _: never.wait())

    never.set()


def test_an_address_that_is_taken_is_told() -> None:
    def fail(_: Any) -> None:
        raise OSError("address in use")

    with pytest.raises(InvalidCluster, match="cannot take its address in TF_CONFIG: address in use"):
        connect(CLUSTER, 5, fail)


def test_the_strategy_is_told_who_is_who() -> None:
    resolver = connect(CLUSTER, 5, lambda resolver: resolver)

    assert resolver.cluster_spec().as_dict() == {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}
    assert (resolver.task_type, resolver.task_id) == ("worker", 0)
