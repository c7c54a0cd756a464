"""What the tests on a Docker Swarm share: the nodes, the stack on them, and the load."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest

from tests.deploy.conftest import REPLICAS, load
from tests.support.deploy.docker import DockerFailed, docker
from tests.support.deploy.swarm import SERVICE, Swarm, describe_swarm
from tests.support.load.generator import Load
from tests.support.processes.service import ROOT, until

IMAGE = "convserve/service:test"
IMAGES = (IMAGE, "nginx:1.28.0-bookworm", "prom/prometheus:v2.53.5")
BALANCER = "convserve_balancer"
PORT = 8000

# More than the slowest thing takes: a replica that never gets ready is unhealthy after 75 s. Looking takes time itself.
eventually = partial(until, seconds=300.0, pause=0.5)


@pytest.fixture(scope="session")
def nodes(engine: None) -> Swarm:  # noqa: ARG001  # skips where there is none
    """Nodes that have the images; without SWARM_NODES the test is skipped."""
    swarm = describe_swarm()
    if swarm is None:
        pytest.skip("no Swarm: SWARM_NODES names no three containers that are its nodes")
    docker("build", "--quiet", "--target", "service", "--tag", IMAGE, str(ROOT))
    for image in IMAGES:
        swarm.load(image)
    return swarm


@pytest.fixture(scope="session")
def deployed(nodes: Swarm) -> Iterator[Swarm]:
    """The stack on them; nothing of it is left afterwards."""
    try:
        nodes.deploy(IMAGE, nodes.nodes[0])
        yield nodes
    finally:
        nodes.remove(nodes.nodes[0])


@pytest.fixture
def swarm(deployed: Swarm) -> Swarm:
    """The same, with the first image and a replica on every node whatever a test before did."""
    node = deployed.nodes[0]
    eventually(lambda: len(deployed.ready(node)) == len(deployed.nodes), "all nodes are there")
    deployed.deploy(IMAGE, node)
    settle(deployed, node)
    while len({task.node for task in deployed.tasks(node)}) < len(deployed.nodes):
        scale(deployed, node, REPLICAS + 1)  # the new one goes to a node that has none
        scale(deployed, node, REPLICAS)  # and one leaves where there are most
    return deployed


def settle(swarm: Swarm, node: str) -> None:
    """Wait until no update is under way, and every replica and every balancer runs."""
    eventually(lambda: not swarm.update_state(node).endswith(("updating", "started")), "no update runs")
    eventually(lambda: healthy(swarm, node, swarm.nodes) == REPLICAS, "all replicas are healthy")
    everywhere = sorted(swarm.nodes)
    eventually(
        lambda: sorted(each.node for each in swarm.tasks(node, BALANCER) if each.runs) == everywhere, "balancers run"
    )


def scale(swarm: Swarm, node: str, replicas: int) -> None:
    """Have so many replicas, all of them healthy."""
    swarm.on(node, "service", "scale", "--detach", f"{SERVICE}={replicas}")
    eventually(lambda: healthy(swarm, node, swarm.nodes) == replicas, f"{replicas} replicas are healthy")


def healthy(swarm: Swarm, seen_by: str, nodes: tuple[str, ...]) -> int:
    """How many replicas run on these nodes and are healthy; 0 while there is no leader to ask."""
    try:
        return sum(task.runs and task.node in nodes for task in swarm.tasks(seen_by))
    except DockerFailed:
        return 0


def load_on(swarm: Swarm, node: str) -> AbstractContextManager[Load]:
    """The load through a node's balancer."""
    return load(PORT, swarm.address(node))
