"""What a request costs in CPU time, in a replica and in the balancer: the figures of the capacity plan."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from statistics import median
from timeit import timeit

import numpy as np
import pytest
from PIL import Image

from tests.support.deploy.compose import ROOT, Project
from tests.support.deploy.docker import docker
from tests.support.http.raw_client import RawConnection, request
from tests.support.images.drawn import as_file, as_npy

pytestmark = pytest.mark.docker

ROUNDS = 1000  # the clock of processes ticks every 10 ms
TICKS = os.sysconf("SC_CLK_TCK")
UTIME, STIME = 11, 12  # fields of /proc/<pid>/stat behind the name, see proc(5)


@dataclass(frozen=True)
class Kind:
    """Requests of one kind."""

    what: str
    path: str
    body: bytes
    rounds: int = ROUNDS


def kinds() -> list[Kind]:
    """From the smallest to what a phone sends."""
    noise = np.random.default_rng(0)
    clouds = Image.fromarray(noise.integers(0, 255, (30, 40, 3), np.uint8)).resize((4000, 3000))
    batch = noise.integers(0, 255, (32, 32, 32, 3), np.uint8)
    digit, truck = ((ROOT / "models" / name / "1" / "golden" / "00.png").read_bytes() for name in ("mnist", "cifar10"))
    written = (ROOT / "docs" / "images" / "digit.png").read_bytes()
    return [
        Kind("a digit of 28×28 as PNG, `mnist`", "/models/mnist/predict", digit),
        Kind("a handwritten digit of 280×280 as PNG, `mnist`", "/models/mnist/predict", written),
        Kind("an image of 32×32 as PNG, `cifar10` version 1", "/models/cifar10/versions/1/predict", truck),
        Kind("the same, version 2", "/models/cifar10/predict", truck),
        Kind("32 such images as `.npy`, version 2", "/models/cifar10/predict", as_npy(batch), 100),
        Kind(
            "a photograph of 12 megapixels as JPEG, version 2", "/models/cifar10/predict", as_file(clouds, "JPEG"), 100
        ),
    ]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.what)
def test_what_a_request_costs(project: Project, kind: Kind, capsys: pytest.CaptureFixture[str]) -> None:
    project.scale(1)
    replicas, balancers = project.replicas(), project.compose("ps", "--quiet", "balancer").split()
    before = [cpu_seconds(replicas), cpu_seconds(balancers)]

    statuses = set(islice(responses(project.port, kind), kind.rounds))

    after = [cpu_seconds(replicas), cpu_seconds(balancers)]
    replica, balancer = (1000 * (end - begin) / kind.rounds for begin, end in zip(before, after, strict=True))
    with capsys.disabled():
        print(f"\n| {kind.what} | {replica:.2f} ms | {balancer:.2f} ms |")  # noqa: T201
    assert statuses == {200}


def test_what_the_balancer_adds(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    digit = kinds()[0]
    network = f"{project.name}_backend"
    look = f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}'
    replica = docker("inspect", "--format", look, project.replicas()[0])

    rounds = [(seconds(8000, digit, replica), seconds(project.port, digit)) for _ in range(5)]

    direct, balanced = (median(each) for each in zip(*rounds, strict=True))
    with capsys.disabled():
        print(f"\nmedian: {1000 * direct:.2f} ms direct, {1000 * balanced:.2f} ms through the balancer")  # noqa: T201


def seconds(port: int, kind: Kind, host: str = "127.0.0.1") -> float:
    """Median latency of one client's requests, all of which are answered."""
    with RawConnection(port, host=host) as connection:
        assert ask_over(connection, kind) == 200
        return median(timeit(lambda: ask_over(connection, kind), number=1) for _ in range(kind.rounds // 5))


def responses(port: int, kind: Kind) -> Iterable[int]:
    """Statuses of one client's requests, one after another over one connection."""
    with RawConnection(port) as connection:
        while True:
            yield ask_over(connection, kind)


def ask_over(connection: RawConnection, kind: Kind) -> int:
    """The status of one request."""
    connection.send(request("POST", kind.path, kind.body))
    return connection.response().status


def cpu_seconds(containers: list[str]) -> float:
    """CPU time that the processes of these containers have used; those of health checks come and go uncounted."""
    stats = [
        line for name in containers for line in docker("exec", name, "sh", "-c", "cat /proc/[0-9]*/stat").splitlines()
    ]
    fields = [line.rpartition(")")[2].split() for line in stats]
    return sum(int(words[UTIME]) + int(words[STIME]) for words in fields) / TICKS
