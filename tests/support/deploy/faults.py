"""Faults of containers: a killed process, a disconnected interface, a container removed from its network."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.deploy.docker import docker

# Sets or clears the interface's IFF_UP by ioctl(2), see netdevice(7); the image has Python but no `ip`.
SET_INTERFACE = """
import fcntl, socket, struct, sys
GET, SET, UP = 0x8913, 0x8914, 1
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
    flags = struct.unpack("16xH6x", fcntl.ioctl(control, GET, struct.pack("16sH6x", b"eth0", 0)))[0]
    flags = flags | UP if sys.argv[1] == "up" else flags & ~UP
    fcntl.ioctl(control, SET, struct.pack("16sH6x", b"eth0", flags))
"""


def kill(container: str) -> None:
    """`kill -9` of a container's first process; after `docker kill` Docker would not start it again."""
    pid = docker("inspect", "--format", "{{.State.Pid}}", container)
    _as_root(container, "--pid=host", "--cap-add=KILL", script=f"import os; os.kill({pid}, 9)")


def kill_a_worker(container: str) -> None:
    """`kill -9` of a process below a container's first one."""
    script = "import os, pathlib; os.kill(int(pathlib.Path('/proc/1/task/1/children').read_text().split()[0]), 9)"
    docker("exec", container, "python", "-c", script)


@contextmanager
def disconnected(container: str, _network: str) -> Iterator[None]:
    """Hold a container's network interface down: packets are lost without any message."""
    _set_interface(container, "down")
    try:
        yield
    finally:
        _set_interface(container, "up")


@contextmanager
def removed_from_network(container: str, network: str) -> Iterator[None]:
    """Keep a replica off a network and out of its name server; reconnecting gives the service's name again."""
    docker("network", "disconnect", network, container)
    try:
        yield
    finally:
        docker("network", "connect", "--alias", "service", network, container)


def _set_interface(container: str, to: str) -> None:
    options = (f"--network=container:{container}", "--cap-add=NET_ADMIN")
    _as_root(container, *options, script=SET_INTERFACE, argument=to)


def _as_root(container: str, *options: str, script: str, argument: str = "") -> None:
    image = docker("inspect", "--format", "{{.Image}}", container)
    docker("run", "--rm", "--user=0", *options, "--entrypoint=python", image, "-c", script, argument)
