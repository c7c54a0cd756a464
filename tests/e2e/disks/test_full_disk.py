"""A service whose disk below TMPDIR is full serves on; skipped where no small file system can be mounted."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from preprocessing.png import encode_png
from tests.support.bundles.tiny import publish_tiny
from tests.support.images.drawn import tiny_image
from tests.support.processes.service import RunningService, everywhere, read_counts, running, until

PNG = encode_png(tiny_image(1))
ROOM = "2m"  # for the metrics of two workers, and little else


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path, leave: int = 0) -> Path:
    """Write until no more bytes than these are left; returns the file that takes the room."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(bytes(4096))
        file.truncate(file.tell() - leave)
    return filler


def predict(service: RunningService, times: int) -> set[int]:
    return {service.post("/predict", PNG, content_type="image/png").status for _ in range(times)}


def predicted(service: RunningService) -> float:
    counts = read_counts(service, "convserve_predictions_total", "model")
    return counts.get("mnist", 0.0)


def deaths(service: RunningService) -> float:
    return sum(read_counts(service, "convserve_worker_deaths_total", "cause").values())


def test_a_disk_that_is_full_from_the_start_stops_nothing(
    models: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filler = fill(disk, leave=4096)  # what Python takes a folder for temporary files for usable by
    monkeypatch.setenv("TMPDIR", str(disk))
    with running(models, workers=2) as service:
        monkeypatch.delenv("TMPDIR")
        statuses = predict(service, 40)
        warnings = service.get("/readyz").json()["warnings"]
        before = predicted(service)
        filler.unlink()
        until(lambda: predicted(service) == 40, "all that was counted in memory is saved")
        until(lambda: "metrics" not in service.get("/readyz").json().get("warnings", {}), "metrics are in order")

        assert statuses == {200}
        assert "No space left on device" in warnings["metrics"]
        assert before == 0
        assert deaths(service) == 0
        assert b"counted in memory" in service.stderr.read_bytes()


def test_a_disk_that_fills_up_while_requests_run_stops_nothing(
    models: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(disk))
    with running(models, workers=2) as service:
        monkeypatch.delenv("TMPDIR")
        fill(disk)
        statuses = predict(service, 200)
        service.reload()
        statuses |= predict(service, 40)

        assert statuses == {200}
        assert deaths(service) == 0


def test_models_are_followed_although_the_disk_is_full(
    tmp_path: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "models"
    publish_tiny(root, "mnist", 1)
    monkeypatch.setenv("TMPDIR", str(disk))
    with running(root, workers=2, poll_interval=0.05) as service:
        monkeypatch.delenv("TMPDIR")
        fill(disk)
        publish_tiny(root, "mnist", 2)
        (root / "serving.json").write_text('{"versions": 1}')

        def versions() -> list[int]:
            return [row["version"] for row in service.get("/models/mnist").json()["versions"]]

        everywhere(lambda: versions() == [2], "both workers serve the new version", seconds=10)

        assert "No space left on device" in str(service.get("/readyz").json()["warnings"])
        assert deaths(service) == 0
