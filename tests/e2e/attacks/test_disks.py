"""Full disks and repositories that vanish: what is served stays served, and what is wrong is said."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.attacks.disks import bind, fill, small_disk, unmount
from tests.support.bundles.tiny import publish_tiny
from tests.support.http.raw_client import Response
from tests.support.load.generator import PNG
from tests.support.processes.service import RunningService, read_counts, refusals, running, until

MODELS = 12  # so many that their counts need more room than a metric file has at first


@pytest.fixture
def many_models(tmp_path: Path) -> Path:
    for number in range(MODELS):
        publish_tiny(tmp_path / "models", f"model{number}")
    publish_tiny(tmp_path / "models", "mnist")
    return tmp_path / "models"


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of temporary files of a service, with little room."""
    with small_disk(tmp_path / "small") as folder:
        monkeypatch.setenv("TMPDIR", str(folder))
        yield folder


def predictions(service: RunningService, rounds: int = 4) -> set[int]:
    """The statuses of predictions of every model, over new connections."""
    names = [f"model{number}" for number in range(MODELS)]
    return {service.post(f"/models/{name}/predict", PNG).status for _ in range(rounds) for name in names}


def warnings(service: RunningService) -> list[str]:
    document = service.get("/readyz").json()
    return [str(each) for each in document.get("warnings", [])]


def test_a_disk_that_fills_up_stops_no_worker(many_models: Path, disk: Path) -> None:
    with running(many_models, workers=2) as service:
        workers = service.workers()
        filler = fill(disk)

        assert predictions(service) == {200}
        assert service.workers() == workers
        assert service.get("/metrics").status == 200
        service.process.send_signal(1)
        until(lambda: set(workers).isdisjoint(service.workers()), "all workers are new")
        until(lambda: len(service.workers()) == 2, "there are two workers")
        assert predictions(service) == {200}
        filler.unlink()
        assert predictions(service) == {200}


def test_a_service_starts_on_a_full_disk_and_says_so(attacked_models: Path, disk: Path) -> None:
    filler = fill(disk)
    shrink = filler.stat().st_size - 20_000  # room for a folder and its first files, not for counts
    with filler.open("r+b") as file:
        file.truncate(shrink)
    with running(attacked_models, workers=2) as service:
        fill(disk)
        assert stays(service, 1) == {200}
        until(lambda: bool(warnings(service)), "it is said", seconds=10)
        assert sum(read_counts(service, "convserve_warnings", "subject").values()) > 0
        assert service.process.poll() is None


def is_reported(service: RunningService) -> bool:
    """Whether `/readyz` says that the repository cannot be read; the metric counts it."""
    counted = read_counts(service, "convserve_model_load_failures_total", "reason").get("repository", 0)
    return counted > 0 and "repository" in refusals(service)


def ask(service: RunningService, name: str = "mnist") -> Response:
    return service.post(f"/models/{name}/predict", PNG)


def stays(service: RunningService, seconds: float = 3.0) -> set[int]:
    """The statuses of predictions for so long."""
    found, end = set(), time.monotonic() + seconds
    while time.monotonic() < end:
        found.add(ask(service).status)
        time.sleep(0.05)
    return found


def test_an_unmounted_repository_keeps_what_is_served_and_is_reported(tmp_path: Path, many_models: Path) -> None:
    place = tmp_path / "mounted"
    with small_disk(place, "64m"):
        unmount(place)
        bind(many_models, place)
        with running(place, workers=2, poll_interval=0.2) as service:
            unmount(place)

            assert stays(service) == {200}
            assert is_reported(service)
            bind(many_models, place)
            until(lambda: not is_reported(service), "it is well again", seconds=10)
            publish_tiny(many_models, "mnist", 2)
            until(lambda: ask(service).json()["model_version"] == 2, "it is followed again", seconds=10)


@pytest.mark.parametrize(
    "way", ["emptied", *(pytest.param(way, marks=pytest.mark.slow) for way in ("renamed", "removed"))]
)
def test_a_repository_that_vanishes_at_once_keeps_what_is_served(many_models: Path, way: str) -> None:
    with running(many_models, workers=2, poll_interval=0.2) as service:
        match way:
            case "renamed":
                many_models.rename(many_models.with_name("elsewhere"))
            case _:
                for folder in list(many_models.iterdir()):
                    folder.rename(many_models.parent / folder.name)

        assert stays(service) == {200}
        until(lambda: is_reported(service), "it is reported", seconds=10)


def test_a_single_model_that_is_removed_is_no_longer_served(many_models: Path) -> None:
    with running(many_models, workers=1, poll_interval=0.2) as service:
        (many_models / "model3").rename(many_models.parent / "model3")

        until(lambda: ask(service, "model3").status == 404, "it is gone", seconds=10)
        assert ask(service).status == 200
