"""A repository that is unmounted, switched or holds thousands of versions, under a running service."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from preprocessing.png import encode_png
from tests.support.bundles.tiny import publish_tiny
from tests.support.images.drawn import tiny_image
from tests.support.processes.service import RunningService, everywhere, read_counts, refusals, running, until

POLL = 0.05
PNG = encode_png(tiny_image(1))


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A repository in a file system of its own; skipped where nothing can be mounted."""
    root = tmp_path / "models"
    root.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(root)]
    result = subprocess.run(mount, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {result.stderr.strip()}")
    publish_tiny(root, "mnist", 1)
    publish_tiny(root, "mnist", 2)
    yield root
    subprocess.run(["umount", "--lazy", root], capture_output=True, check=False)


def answering(service: RunningService) -> int:
    response = service.post("/predict", PNG, content_type="image/png").json()
    version: int = response.get("model_version", response.get("error"))
    return version


def test_an_unmounted_repository_is_served_on_and_followed_again_when_it_is_back(mounted: Path, tmp_path: Path) -> None:
    with running(mounted, workers=2, poll_interval=POLL) as service:
        copy = tmp_path / "copy"
        shutil.copytree(mounted, copy)
        subprocess.run(["umount", "--lazy", mounted], check=True)
        everywhere(lambda: "was it unmounted" in refusals(service).get("repository", ""), "the loss is seen")
        during = {answering(service) for _ in range(12)}
        status = service.get("/readyz").status
        failures = read_counts(service, "convserve_model_load_failures_total", "reason")
        publish_tiny(copy, "mnist", 3)
        mounted.rmdir()
        copy.rename(mounted)
        everywhere(lambda: answering(service) == 3, "the new version is served")

        assert (during, status) == ({2}, 200)
        assert failures["repository"] >= 1
        assert refusals(service) == {}
        assert b"was it unmounted" in service.stderr.read_bytes()


def test_a_switched_link_is_followed_without_an_error(tmp_path: Path) -> None:
    publish_tiny(tmp_path / "releases" / "1", "mnist", 1)
    publish_tiny(tmp_path / "releases" / "2", "mnist", 2)
    models = tmp_path / "models"
    models.symlink_to("releases/1")
    with running(models, workers=2, poll_interval=POLL) as service:
        (tmp_path / "next").symlink_to("releases/2")
        (tmp_path / "next").rename(models)
        seen: list[int] = []

        def is_switched() -> bool:
            seen.append(answering(service))
            return seen[-12:] == [2] * 12

        until(is_switched, "the new release is served")

        assert set(seen) <= {1, 2}


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_five_thousand_old_versions_cost_little_and_a_new_one_is_soon_served(tmp_path: Path) -> None:
    root = tmp_path / "models"
    bundle = publish_tiny(root, "mnist", 5000)
    for version in range(1, 5000):
        (root / "mnist" / str(version)).mkdir()
        os.link(bundle / "metadata.json", root / "mnist" / str(version) / "metadata.json")
    with running(root, workers=1, poll_interval=1, versions=1) as service:
        (worker,) = service.workers()
        before = cpu_seconds(worker)
        time.sleep(8)
        used = cpu_seconds(worker) - before
        started = time.monotonic()
        publish_tiny(root, "mnist", 5001)
        until(lambda: answering(service) == 5001, "the new version is served")
        seconds = time.monotonic() - started

    assert used / 8 < 0.04  # of a core, everything that an idle worker does together
    assert seconds < 6
