"""The Compose project, started from nothing: its containers, their rights, and its metrics."""

import subprocess
import time
from itertools import takewhile
from pathlib import Path

import pytest

from tests.deploy.conftest import REPLICAS
from tests.support.bundles.tiny import publish_tiny
from tests.support.deploy.compose import ROOT, Project
from tests.support.deploy.docker import docker
from tests.support.http.raw_client import send_request
from tests.support.processes.service import until

pytestmark = pytest.mark.docker

DIGIT = (ROOT / "docs" / "images" / "digit.png").read_bytes()  # a 6
MEGABYTE = 1_000_000
WRITABLE = "import os; print(*{top for top, _, _ in os.walk('/') if os.access(top, os.W_OK)}, sep='\\n')"


def test_from_nothing_all_is_healthy_within_a_minute(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.down()
    begun = time.monotonic()

    project.up(REPLICAS)

    seconds = time.monotonic() - begun
    with capsys.disabled():
        print(f"\nhealthy with {REPLICAS} replicas after {seconds:.0f} s")  # noqa: T201
    assert project.healthy() == REPLICAS
    assert seconds < 60


def test_a_digit_through_the_balancer_is_right(project: Project) -> None:
    response = send_request(project.port, "POST", "/predict", DIGIT)

    assert response.status == 200
    assert response.json()["predictions"][0]["label"] == "6"


def test_prometheus_sees_every_replica_and_counts_every_request(project: Project) -> None:
    until(lambda: project.query('up{job="convserve"}') == [1.0] * REPLICAS, "all replicas are scraped", seconds=60)
    answered = 'sum(http_requests_total{job="convserve",route="/models/<name>/predict",status="200"})'
    refused = 'sum(http_requests_total{job="convserve",route="/models/<name>/predict",status="400"})'

    for _ in range(200):
        send_request(project.port, "POST", "/models/cifar10/predict", DIGIT)
    for _ in range(50):
        send_request(project.port, "POST", "/models/cifar10/predict", b"no image")

    until(lambda: project.query(answered) == [200.0], "200 answers are counted")
    until(lambda: project.query(refused) == [50.0], "50 errors are counted")
    spread = 'http_requests_total{job="convserve",route="/models/<name>/predict",status="200"}'
    assert len(project.query(spread)) == REPLICAS
    assert project.query('up{job="balancer"}') == [1.0]


def test_a_replica_has_no_rights_and_nothing_but_temporary_memory_to_write_to(project: Project) -> None:
    replica = project.replicas()[0]
    status = docker("exec", replica, "cat", "/proc/self/status")
    writable = docker("exec", replica, "python", "-c", WRITABLE).splitlines()
    mounts = [line.split()[1:3] for line in docker("exec", replica, "cat", "/proc/mounts").splitlines()]

    said = dict(line.split(":\t", 1) for line in status.splitlines())
    assert {int(uid) for uid in said["Uid"].split()} == {10001}
    assert {said[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert said["NoNewPrivs"] == "1"
    assert {kind_of(folder, mounts) for folder in writable if not folder.startswith("/proc")} == {"tmpfs", "mqueue"}


def kind_of(folder: str, mounts: list[list[str]]) -> str:
    """The type of the file system that a folder is on: that of the longest mount point above it."""
    above = [(place, kind) for place, kind in mounts if f"{folder}/".startswith(f"{place.rstrip('/')}/")]
    return max(above, key=lambda mount: len(mount[0]))[1]


def test_the_image_is_small_and_has_no_tools_to_build_or_train_with(project: Project) -> None:
    image = project.image("service")
    found = docker(
        "run", "--rm", "--entrypoint=sh", image, "-c", "command -v gcc cc make; python -c 'import tensorflow'; true"
    )

    assert int(docker("image", "inspect", "--format", "{{.Size}}", image)) < 350 * MEGABYTE
    assert found == ""


def test_a_bundle_that_was_made_elsewhere_is_served(project: Project, tmp_path: Path) -> None:
    publish_tiny(tmp_path, "brought")
    bundle = subprocess.run(["tar", "--create", "--directory", tmp_path, "brought"], capture_output=True, check=True)
    volume, unpack = f"{project.name}_models:/to", ("tar", "--extract", "--directory", "/to")

    command = ["docker", "run", "--rm", "--interactive", "--volume", volume, project.image("service"), *unpack]
    subprocess.run(command, input=bundle.stdout, check=True)

    until(lambda: in_a_row(project, "/models/brought/predict") == 20, "every replica has it")


def in_a_row(project: Project, path: str) -> int:
    """How many of 20 requests, which come to one replica or another, are answered before one is not."""
    responses = (send_request(project.port, "POST", path, DIGIT).status for _ in range(20))
    return sum(1 for _ in takewhile(lambda status: status == 200, responses))
