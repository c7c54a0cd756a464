"""Metrics where the disk has no room: they are counted in memory, and no request fails."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.ipc.worker_warnings import WorkerWarnings
from service.telemetry import multiprocess_values
from service.telemetry.metrics import KINDS, Metrics
from service.telemetry.multiprocess_values import INITIAL_SIZE, SlotFiles, slot_value
from service.telemetry.stage_timer import Stage
from service.telemetry.statistics import Statistics


class Disk:
    """A disk with room for so many bytes in each file."""

    def __init__(self) -> None:
        self.room = 1 << 40

    def allocate(self, descriptor: int, size: int) -> None:
        if size > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.posix_fallocate(descriptor, 0, size)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(multiprocess_values, "_allocate", disk.allocate)
    return disk


def described(number: int) -> tuple[Any, ...]:
    return ("hits", "hits_total", ("number",), (str(number),), "Hits.")


def count_many(files: SlotFiles, numbers: range) -> list[Any]:
    """Values that are 1, each with a key of its own."""
    values = [slot_value(files)("counter", *described(number)) for number in numbers]
    for value in values:
        value.inc(1)
    return values


def stored(folder: Path) -> list[float]:
    files = SlotFiles(folder, 7)
    with closing(files):
        return [slot_value(files)("counter", *described(number)).get() for number in range(2)]


@contextmanager
def files_of(folder: Path, warnings: WorkerWarnings | None = None) -> Iterator[SlotFiles]:
    with closing(SlotFiles(folder, 7, warnings)) as files:
        yield files


def test_blocks_are_allocated_before_a_file_is_mapped(tmp_path: Path) -> None:
    with files_of(tmp_path) as files:
        files.open("counter")
        status = (tmp_path / "counter_7.db").stat()
        count_many(files, range(1500))
        grown = (tmp_path / "counter_7.db").stat()

    assert status.st_blocks * 512 >= status.st_size == INITIAL_SIZE
    assert grown.st_blocks * 512 >= grown.st_size > INITIAL_SIZE


@pytest.mark.usefixtures("metrics")
def test_all_kinds_of_files_are_open_before_the_first_request(metrics_folder: str) -> None:
    names = {path.name for path in Path(metrics_folder).iterdir()}

    assert names == {*(f"{kind}_0.db" for kind in KINDS), "statistics_0.mmap"}


def test_no_metric_has_a_kind_of_file_that_is_not_opened_at_the_start(client: FlaskClient, metrics_folder: str) -> None:
    client.post("/predict", data=b"no image", content_type="image/png")
    client.get("/metrics")
    names = {path.name for path in Path(metrics_folder).glob("*.db")}

    assert names == {f"{kind}_0.db" for kind in KINDS}


def test_without_room_at_the_start_values_are_counted_in_memory_and_saved_later(tmp_path: Path, disk: Disk) -> None:
    warnings = WorkerWarnings()
    disk.room = 0
    with files_of(tmp_path, warnings) as files:
        files.open("counter")
        values = count_many(files, range(2))
        assert (files.save(), list(tmp_path.iterdir())) == (2, [])
        assert "counter_7.db cannot be written (No space left on device)" in warnings.sentences["metrics"]
        disk.room = INITIAL_SIZE
        assert files.save() == 0
        values[0].inc(1)

    assert stored(tmp_path) == [2, 1]
    assert warnings.sentences == {}


def test_where_a_file_cannot_grow_what_is_in_it_is_counted_on(tmp_path: Path, disk: Disk) -> None:
    warnings = WorkerWarnings()
    disk.room = INITIAL_SIZE
    with files_of(tmp_path, warnings) as files:
        values = count_many(files, range(2000))
        values[0].inc(1)
        in_memory = files.save()

        assert 0 < in_memory < 2000
        assert warnings.sentences.keys() == {"metrics"}
        assert {each.get() for each in values[1:]} == {1}
        disk.room = 1 << 40
        assert files.save() == 0
    assert stored(tmp_path) == [2, 1]


def test_what_moves_to_a_file_is_added_to_the_counts_of_an_earlier_worker(tmp_path: Path, disk: Disk) -> None:
    with files_of(tmp_path) as files:
        count_many(files, range(2))
    (tmp_path / "counter_7.db").rename(tmp_path / "away")
    disk.room = 0
    with files_of(tmp_path) as files:
        values = count_many(files, range(2))
        (tmp_path / "away").rename(tmp_path / "counter_7.db")
        disk.room = INITIAL_SIZE
        files.save()
        values[0].inc(1)

    assert stored(tmp_path) == [3, 2]


def cut_off(file: Path) -> None:
    file.write_bytes(b"\xff" * 100)


def forbid(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize("damage", [cut_off, forbid])
def test_a_file_that_cannot_be_used_stops_no_worker(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    warnings = WorkerWarnings()
    (tmp_path / "counter_7.db").touch()
    damage(tmp_path / "counter_7.db")
    with files_of(tmp_path, warnings) as files:
        (value,) = count_many(files, range(1))

    assert value.get() == 1
    assert warnings.sentences.keys() == {"metrics"}


def test_statistics_without_room_fail_no_request(tmp_path: Path, disk: Disk) -> None:
    disk.room = 0
    with files_of(tmp_path) as files:
        statistics = Statistics(files)
        tally = statistics.tally("mnist", 1)
        tally.succeed(1, {Stage.QUEUE: 0.0, Stage.INFER: 1.0, Stage.ENCODE: 0.0})
        before = statistics.read("mnist", 1).images
        disk.room = INITIAL_SIZE
        files.save()
        tally.succeed(1, {Stage.QUEUE: 0.0, Stage.INFER: 1.0, Stage.ENCODE: 0.0})

        assert (before, statistics.read("mnist", 1).images) == (0, 2)


def test_two_metrics_say_that_values_are_in_memory(disk: Disk, worker_metrics: Callable[[int], Metrics]) -> None:
    disk.room = 0
    metrics = worker_metrics(0)
    metrics.requests.labels("GET", "/livez", "200").inc()

    in_memory = metrics.scrape.get_sample_value("convserve_metrics_in_memory")

    assert in_memory == 1
    assert metrics.scrape.get_sample_value("convserve_warnings", {"subject": "metrics"}) == 1
