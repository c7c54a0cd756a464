"""Docker Swarm nodes that are containers here, each with an engine of its own, so that a test can switch one off."""

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.deploy.docker import DockerFailed, docker
from tests.support.processes.service import until

DEPLOY = Path(__file__).parents[3] / "deploy"
STACK = "convserve"
SERVICE = "convserve_service"
STATE = "{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}"


@dataclass(frozen=True)
class Task:
    """One container of a service, as Swarm sees it."""

    node: str
    image: str
    runs: bool  # and is healthy, where it says how to ask


@dataclass(frozen=True)
class Swarm:
    """The names of the containers that are its nodes, all of them managers, and of the network that they share."""

    nodes: tuple[str, ...]
    network: str

    def on(self, node: str, *command: str, given: str = "") -> str:
        """Run `docker …` against a node's engine."""
        return docker("exec", "--interactive", node, "docker", *command, given=given)

    def address(self, node: str) -> str:
        """Where a node is reached from here."""
        return docker(
            "inspect", "--format", f'{{{{(index .NetworkSettings.Networks "{self.network}").IPAddress}}}}', node
        )

    def leader(self) -> str:
        """The manager that gives the orders."""
        rows = self.on(self.nodes[0], "node", "ls", "--format", "{{.Hostname}} {{.ManagerStatus}}").splitlines()
        return next(row.split()[0] for row in rows if row.endswith(" Leader"))

    def ready(self, node: str) -> list[str]:
        """The nodes that are there, as `node` sees it; none while there is no leader to ask."""
        try:
            rows = self.on(node, "node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.Availability}}").splitlines()
        except DockerFailed:
            return []
        return [row.split()[0] for row in rows if row.endswith(" Ready Active")]

    def load(self, image: str) -> None:
        """Have an image of this engine on every node; nodes that have another of this name get this one."""
        identity = docker("image", "inspect", "--format", "{{.Id}}", image)
        for node in self.nodes:
            if identity != self._identity(node, image):
                _copy(image, node)

    def build(self, image: str, dockerfile: str) -> None:
        """Build an image on every node from a Dockerfile that copies nothing."""
        for node in self.nodes:
            self.on(node, "build", "--quiet", "--tag", image, "-", given=dockerfile)

    def deploy(self, image: str, node: str) -> None:
        """deploy/swarm/deploy on this node, without what the tests do not look at; the nodes have the images."""
        name, _, tag = image.partition(":")
        docker("cp", f"{DEPLOY}/.", f"{node}:/deploy")
        chosen = (f"CONVSERVE_IMAGE={name}", f"CONVSERVE_TAG={tag}", "ALERTMANAGER_REPLICAS=0", "GRAFANA_REPLICAS=0")
        docker("exec", node, "env", *chosen, "/deploy/swarm/deploy", "--resolve-image", "never")

    def tasks(self, node: str, service: str = SERVICE) -> list[Task]:
        """The tasks that shall run, as `node` sees it; those of a lost node seem to run until it is missed."""
        rows = self.on(
            *(node, "service", "ps", "--filter", "desired-state=running"),
            *("--format", "{{.Node}} {{.Image}} {{.CurrentState}}", service),
        )
        words = [row.split() for row in rows.splitlines()]
        return [Task(row[0], row[1], row[2] == "Running") for row in words if len(row) > 2]

    def containers(self, node: str, service: str = SERVICE) -> list[str]:
        """The ids of a service's containers on a node."""
        return self.on(node, "ps", "--quiet", "--filter", f"name={service}").split()

    def update_state(self, node: str) -> str:
        """How the latest update of the service went, in Swarm's words."""
        return self.on(node, "service", "inspect", "--format", STATE, SERVICE)

    def remove(self, node: str) -> None:
        """Remove the stack and wait until nothing of it is left."""
        until(lambda: self._is_gone(node), "the stack is gone", seconds=120, pause=1)

    def _is_gone(self, node: str) -> bool:
        with suppress(DockerFailed):  # networks are in use until the last container has ended
            self.on(node, "stack", "rm", STACK)
        return not self.on(node, "network", "ls", "--quiet", "--filter", f"name={STACK}_")

    def _identity(self, node: str, image: str) -> str:
        try:
            return self.on(node, "image", "inspect", "--format", "{{.Id}}", image)
        except DockerFailed:
            return ""


def describe_swarm() -> Swarm | None:
    """What SWARM_NODES (names of containers) and SWARM_NETWORK say; None where they say nothing."""
    nodes: Sequence[str] = os.environ.get("SWARM_NODES", "").split()
    return Swarm(tuple(nodes), os.environ.get("SWARM_NETWORK", "nodes")) if nodes else None


def _copy(image: str, node: str) -> None:
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
        loading = ["docker", "exec", "--interactive", node, "docker", "load", "--quiet"]
        subprocess.run(loading, stdin=saving.stdout, stdout=subprocess.DEVNULL, check=True)
