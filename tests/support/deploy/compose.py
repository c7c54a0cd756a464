"""The Compose project as an operator runs it, with a name and ports of its own."""

import json
import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.deploy.docker import COMMAND_SECONDS, DockerFailed, docker
from tests.support.processes.prometheus import Prometheus
from tests.support.processes.service import free_port

ROOT = Path(__file__).parents[3]
PORTS = ("CONVSERVE_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT", "GRAFANA_PORT")
NEEDED = ("service", "balancer", "prometheus")
OPTIONAL = ("alertmanager", "grafana")  # started if their images are here or can be pulled


@dataclass(frozen=True)
class Project:
    """`docker compose` with the environment that sets its name and ports."""

    environment: dict[str, str]

    @property
    def name(self) -> str:
        """The prefix of its containers, networks and volumes."""
        return self.environment["COMPOSE_PROJECT_NAME"]

    @property
    def port(self) -> int:
        """The balancer's port on this machine."""
        return int(self.environment["CONVSERVE_PORT"])

    def compose(self, *command: str) -> str:
        """Run `docker compose …`; returns its output, raises DockerFailed with its errors."""
        return self.run("docker", "compose", *command)

    def run(self, *command: str) -> str:
        """Run a command where docker-compose.yml is, with the project's environment."""
        ended = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if ended.returncode:
            raise DockerFailed(command, ended.stderr.strip()[-2000:])
        return ended.stdout.strip()

    def build(self, *services: str) -> None:
        """Build the images of these services."""
        self.compose("--profile", "train", "build", "--quiet", *services)

    def up(self, replicas: int) -> None:
        """`docker compose up --wait` of every service whose image is available."""
        services = [*NEEDED, *(name for name in OPTIONAL if self._can_have(self.image(name)))]
        self.compose("up", "--detach", "--wait", "--scale", f"service={replicas}", *services)

    def scale(self, replicas: int) -> None:
        """Scale to so many replicas, and wait until all are healthy."""
        options = ("--detach", "--wait", "--no-deps", "--no-recreate", "--scale", f"service={replicas}")
        self.compose("up", *options, "service")

    def replicas(self) -> list[str]:
        """The container ids of the replicas that run."""
        return self.compose("ps", "--quiet", "service").split()

    def healthy(self) -> int:
        """How many replicas run and are healthy."""
        rows = [json.loads(line) for line in self.compose("ps", "--format", "json", "service").splitlines()]
        return sum(row["Health"] == "healthy" for row in rows)

    def image(self, service: str) -> str:
        """The image that a service is made of."""
        described: dict[str, Any] = json.loads(self.compose("--profile", "train", "config", "--format", "json"))
        return str(described["services"][service]["image"])

    def query(self, expression: str) -> list[float]:
        """The values of a PromQL query, without labels."""
        prometheus = Prometheus(int(self.environment["PROMETHEUS_PORT"]))
        return [float(sample["value"][1]) for sample in prometheus.query(expression)]

    def down(self) -> None:
        """Remove all of it, volumes included, and the images whose tag begins with its name."""
        self.compose("--profile", "train", "down", "--volumes", "--timeout", "1")
        for image in docker("images", "--quiet", "--filter", f"reference=*/*:{self.name}-*").split():
            docker("rmi", "--force", image)

    def _can_have(self, image: str) -> bool:
        for look in (("image", "inspect"), ("pull", "--quiet")):
            with suppress(DockerFailed):
                docker(*look, image)
                return True
        return False


def describe_project() -> Project:
    """A project with an unused name and free ports."""
    name = f"convserve-test-{os.getpid()}"
    return Project({"COMPOSE_PROJECT_NAME": name, **{port: str(free_port()) for port in PORTS}})
