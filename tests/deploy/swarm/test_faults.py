"""Faults of a Swarm under load: a replica, a node or the leader is killed, a node is disconnected."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.deploy.conftest import CALM, REPLICAS, Report, assert_only_those_under_way_lost
from tests.deploy.swarm.conftest import BALANCER, eventually, healthy, load_on
from tests.support.deploy.docker import docker
from tests.support.deploy.swarm import Swarm

pytestmark = pytest.mark.docker

GET_READY = (
    r'exec 3<>/dev/tcp/127.0.0.1/8080 && printf "GET /readyz HTTP/1.0\r\n\r\n" >&3 && read -r line <&3 && echo "$line"'
)


def others(swarm: Swarm, victim: str) -> tuple[str, ...]:
    """The nodes that are left."""
    return tuple(node for node in swarm.nodes if node != victim)


@contextmanager
def switched_off(swarm: Swarm, node: str) -> Iterator[None]:
    """Cut a node's power; afterwards it is switched on, and back."""
    docker("kill", node)
    try:
        yield
    finally:
        docker("start", node)
        eventually(lambda: node in swarm.ready(others(swarm, node)[0]), "the node is back")


@contextmanager
def cut_off(swarm: Swarm, node: str) -> Iterator[None]:
    """Pull a node's cable; afterwards it is plugged in, and back, under its old address."""
    address = swarm.address(node)
    docker("network", "disconnect", swarm.network, node)
    try:
        yield
    finally:
        docker("network", "connect", "--ip", address, swarm.network, node)
        eventually(lambda: node in swarm.ready(others(swarm, node)[0]), "the node is back")


def test_a_killed_replica_of_a_stack_is_replaced(swarm: Swarm, report: Report) -> None:
    node, victim = swarm.nodes[0], swarm.nodes[1]
    container = swarm.containers(victim)[0]
    with load_on(swarm, node) as sent:
        time.sleep(CALM)
        begun = time.monotonic()
        swarm.on(victim, "kill", container)
        eventually(lambda: container not in swarm.containers(victim), "it is gone")
        eventually(lambda: healthy(swarm, node, swarm.nodes) == REPLICAS, "all replicas are healthy")
        seconds = time.monotonic() - begun
        time.sleep(CALM)

    report("Swarm: `kill -9` of a replica", sent.results, seconds)
    assert_only_those_under_way_lost(sent.results)


@pytest.mark.parametrize("leads", [False, True], ids=["a follower", "the leader"])
def test_a_lost_node_costs_only_the_requests_that_it_had(swarm: Swarm, report: Report, *, leads: bool) -> None:
    leader = swarm.leader()
    victim = leader if leads else others(swarm, leader)[-1]
    left = others(swarm, victim)
    with load_on(swarm, left[0]) as sent:
        time.sleep(CALM)
        begun = time.monotonic()
        with switched_off(swarm, victim):
            eventually(lambda: healthy(swarm, left[0], left) == REPLICAS, "the others have all replicas")
            seconds = time.monotonic() - begun
            time.sleep(CALM)
        time.sleep(CALM)

    report(f"Swarm: power cut of {'the leading' if leads else 'a'} node", sent.results, seconds)
    assert_only_those_under_way_lost(sent.results)


def test_a_node_that_is_cut_off_costs_only_the_requests_that_it_had(swarm: Swarm, report: Report) -> None:
    victim = others(swarm, swarm.leader())[-1]
    left = others(swarm, victim)
    with load_on(swarm, left[0]) as sent:
        time.sleep(CALM)
        begun = time.monotonic()
        with cut_off(swarm, victim):
            eventually(lambda: healthy(swarm, left[0], left) == REPLICAS, "the others have all replicas")
            seconds = time.monotonic() - begun
            alone = swarm.on(victim, "exec", swarm.containers(victim, BALANCER)[0], "bash", "-c", GET_READY)
        time.sleep(4 * CALM)  # the replica that it still has is stopped

    report("Swarm: a node cut off from the others", sent.results, seconds)
    assert_only_those_under_way_lost(sent.results)
    assert "200" in alone  # its balancer has its own replica
