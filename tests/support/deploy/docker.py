"""The Docker engine that the `docker` command reaches."""

import subprocess
from dataclasses import dataclass

COMMAND_SECONDS = 600.0  # an image that is built or pulled takes minutes


@dataclass
class DockerFailed(Exception):
    """A docker command ended with an error."""

    command: tuple[str, ...]
    said: str

    def __str__(self) -> str:
        return f"docker {' '.join(self.command)}: {self.said}"


def docker(*command: str, given: str = "") -> str:
    """Run `docker …` with this standard input; returns its output, raises DockerFailed with its errors."""
    ended = subprocess.run(
        ["docker", *command], input=given, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
    )
    if ended.returncode:
        raise DockerFailed(command, ended.stderr.strip())
    return ended.stdout.strip()


def why_unavailable() -> str:
    """Why no engine can be used; empty where one can."""
    try:
        docker("version", "--format", "{{.Server.Version}}")
    except (DockerFailed, FileNotFoundError) as failure:
        return f"no Docker engine: {failure}"
    return ""
