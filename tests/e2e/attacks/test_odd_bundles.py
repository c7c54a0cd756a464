"""Bundles and files of a repository that block, lie or are far too large: what is served stays served."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelrepo.repository import GOLDEN, METADATA, MODEL
from tests.support.attacks.attack import attack
from tests.support.bundles.copies import copy_bundle
from tests.support.bundles.tiny import publish_tiny
from tests.support.load.generator import PNG
from tests.support.processes.service import RunningService, read_counts, running, until

FAST_POLL = 0.2


@pytest.fixture
def models(tmp_path: Path) -> Path:
    publish_tiny(tmp_path / "models", "mnist")
    publish_tiny(tmp_path / "models", "other")
    return tmp_path / "models"


@pytest.fixture
def service(models: Path) -> Iterator[RunningService]:
    with running(models, workers=2, poll_interval=FAST_POLL) as service:
        yield service


def replace_by_pipe(file: Path) -> None:
    """A pipe that nobody writes to, in a file's place."""
    file.unlink(missing_ok=True)
    os.mkfifo(file)


def replace_by_device(file: Path) -> None:
    """A link to a file without an end."""
    file.unlink(missing_ok=True)
    file.symlink_to("/dev/zero")


PLACES: dict[str, Callable[[Path], Path]] = {
    "golden image": lambda bundle: next((bundle / GOLDEN).glob("*.png")),
    "metadata": lambda bundle: bundle / METADATA,
    "graph": lambda bundle: bundle / MODEL,
}
INSTEAD = {"pipe": replace_by_pipe, "device": replace_by_device}


def assert_still_followed(service: RunningService, models: Path) -> None:
    """A good version that is published now is served soon, and a signal ends the service."""
    publish_tiny(models, "other", 2)
    until(lambda: service.post("/models/other/predict", PNG).json()["model_version"] == 2, "it is followed", seconds=15)
    begun = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - begun < 5


@pytest.mark.slow
@pytest.mark.parametrize("instead", INSTEAD)
@pytest.mark.parametrize("place", PLACES)
def test_a_pipe_or_a_device_in_a_bundle_is_refused(
    service: RunningService, models: Path, place: str, instead: str
) -> None:
    good = models / "mnist" / "1"
    copy_bundle(good, models / "mnist" / "2", lambda bundle: INSTEAD[instead](PLACES[place](bundle)))
    until(
        lambda: bool(read_counts(service, "convserve_model_load_failures_total", "model").get("mnist")),
        "it is refused",
        seconds=15,
    )

    assert service.post("/predict", PNG).json()["model_version"] == 1
    assert_still_followed(service, models)


def test_a_service_starts_beside_a_bundle_of_pipes(models: Path) -> None:
    for version, find in enumerate(PLACES.values(), start=2):
        copy_bundle(models / "mnist" / "1", models / "mnist" / str(version), lambda each: replace_by_pipe(find(each)))  # noqa: B023
    with running(models, workers=2, poll_interval=FAST_POLL) as service:
        assert service.post("/predict", PNG).json()["model_version"] == 1
        assert_still_followed(service, models)


@pytest.mark.slow
@pytest.mark.parametrize("instead", INSTEAD)
def test_a_policy_that_is_no_file_is_reported_and_stops_nothing(
    service: RunningService, models: Path, instead: str
) -> None:
    INSTEAD[instead](models / "serving.json")
    until(
        lambda: sum(read_counts(service, "convserve_model_load_failures_total", "reason").values()) > 0,
        "it is reported",
        seconds=15,
    )

    assert service.post("/predict", PNG).status == 200
    (models / "serving.json").unlink()
    assert_still_followed(service, models)


def test_a_service_starts_beside_a_policy_that_is_a_pipe(models: Path) -> None:
    os.mkfifo(models / "serving.json")
    with running(models, workers=2, poll_interval=FAST_POLL) as service:
        assert service.post("/predict", PNG).status == 200
        service.process.send_signal(signal.SIGHUP)
        assert service.post("/predict", PNG).status == 200
        assert service.stop() == 0


@pytest.mark.slow
def test_metadata_of_tens_of_megabytes_delay_nobody(service: RunningService, models: Path) -> None:
    def grow(bundle: Path) -> None:
        text = (bundle / METADATA).read_text().rstrip()
        layers = ", ".join(['{"name": "a", "type": "b", "shape": [1, 2, 3]}'] * 900_000)
        (bundle / METADATA).write_text(text[:-1] + f', "more": [{layers}]}}')

    with attack(service) as seen:
        copy_bundle(models / "mnist" / "1", models / "mnist" / "2", grow)
        assert (models / "mnist" / "2" / METADATA).stat().st_size > 40_000_000
        time.sleep(4)

    assert seen.complaints() == []
    assert read_counts(service, "convserve_model_load_failures_total", "model")["mnist"] >= 1
    assert service.post("/predict", PNG).json()["model_version"] == 1


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, with its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
def test_thousands_of_old_versions_cost_a_hundredth_of_a_core(models: Path) -> None:
    good = models / "mnist" / "1"
    for version in range(2, 5000):
        copy = models / "mnist" / str(version)
        copy.mkdir()
        for file in good.iterdir():
            (copy / file.name).symlink_to(file)
    good.rename(models / "mnist" / "5000")
    text = (models / "mnist" / "5000" / METADATA).read_text()
    (models / "mnist" / "5000" / METADATA).write_text(text.replace('"version": 1', '"version": 5000'))
    with running(models, workers=2, versions=1) as service:
        assert service.post("/predict", PNG).json()["model_version"] == 5000
        time.sleep(10)
        before, begun = [cpu_seconds(pid) for pid in service.workers()], time.monotonic()
        time.sleep(20)
        after, seconds = [cpu_seconds(pid) for pid in service.workers()], time.monotonic() - begun

        used = [(last - first) / seconds for first, last in zip(before, after, strict=True)]
        assert max(used) < 0.015  # a hundredth for the repository, and what a worker without work needs
