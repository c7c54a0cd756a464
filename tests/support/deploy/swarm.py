"""Docker Swarm nodes that are containers with an engine each, so that a test can stop one."""

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
        """The address of a node."""
        return docker(
            "inspect", "--format", f'{{{{(index .NetworkSettings.Networks "{self.network}").IPAddress}}}}', node
        )

    def leader(self) -> str:
        """The manager that leads."""
        rows = self.on(self.nodes[0], "node", "ls", "--format", "{{.Hostname}} {{.ManagerStatus}}").splitlines()
        return next(row.split()[0] for row in rows if row.endswith(" Leader"))

    def ready(self, node: str) -> list[str]:
        """The nodes that are ready, as `node` sees them; none while there is no leader."""
        try:
            rows = self.on(node, "node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.Availability}}").splitlines()
        except DockerFailed:
            return []
        return [row.split()[0] for row in rows if row.endswith(" Ready Active")]

    def load(self, image: str) -> None:
        """Copy an image of this engine to every node that does not have it."""
        identity = docker("image", "inspect", "--format", "{{.Id}}", image)
        for node in self.nodes:
            if identity != self._identity(node, image):
                _copy(image, node)

    def build(self, image: str, dockerfile: str) -> None:
        """Build an image on every node from a Dockerfile that copies nothing."""
        for node in self.nodes:
            self.on(node, "build", "--quiet", "--tag", image, "-", given=dockerfile)

    def deploy(self, image: str, node: str) -> None:
        """Run deploy/swarm/deploy on this node, without the services that no test uses; the nodes have the images."""
        name, _, tag = image.partition(":")
        docker("cp", f"{DEPLOY}/.", f"{node}:/deploy")
        chosen = (f"CONVSERVE_IMAGE={name}", f"CONVSERVE_TAG={tag}", "ALERTMANAGER_REPLICAS=0", "GRAFANA_REPLICAS=0")
        docker("exec", node, "env", *chosen, "/deploy/swarm/deploy", "--resolve-image", "never")

    def tasks(self, node: str, service: str = SERVICE) -> list[Task]:
        """The tasks that should run, as `node` sees them; those of a lost node seem to run until Swarm notices."""
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
        """The state of the latest update of the service, as Swarm names it."""
        return self.on(node, "service", "inspect", "--format", STATE, SERVICE)

    def remove(self, node: str) -> None:
        """Remove the stack and wait until it is gone."""
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
    """The Swarm of SWARM_NODES (names of containers) and SWARM_NETWORK; None where they are not set."""
    nodes: Sequence[str] = os.environ.get("SWARM_NODES", "").split()
    return Swarm(tuple(nodes), os.environ.get("SWARM_NETWORK", "nodes")) if nodes else None


def _copy(image: str, node: str) -> None:
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
        loading = ["docker", "exec", "--interactive", node, "docker", "load", "--quiet"]
        subprocess.run(loading, stdin=saving.stdout, stdout=subprocess.DEVNULL, check=True)
