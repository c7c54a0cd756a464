"""The statistics of all workers together, through restarts."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from service.telemetry.multiprocess_values import SlotFiles
from service.telemetry.stage_timer import Stage
from service.telemetry.statistics import ModelStatistics, Statistics, Totals


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def statistics(folder: Path) -> Iterator[Statistics]:
    with closing(SlotFiles(folder, 0)) as files:
        yield Statistics(files)


def stages(queue: float = 0.0, **seconds: float) -> dict[Stage, float]:
    all_seconds = {"queue": queue, "infer": 0.0, "encode": 0.0, **seconds}
    return {Stage(name): value for name, value in all_seconds.items()}


def test_a_model_that_nobody_asked_has_done_nothing(statistics: Statistics) -> None:
    assert statistics.read("mnist", 1) == ModelStatistics({}, Totals(), 0.0)


def test_requests_are_counted_by_their_number_of_images(statistics: Statistics) -> None:
    tally = statistics.tally("mnist", 1)
    for size in (1, 8, 1, 32):
        tally.succeed(size, stages())

    found = statistics.read("mnist", 1)

    assert {size: totals.count for size, totals in found.batches.items()} == {1: 2, 8: 1, 32: 1}
    assert (found.images, found.total.count) == (42, 4)


def test_time_is_booked_where_it_was_spent(statistics: Statistics) -> None:
    statistics.tally("mnist", 1).succeed(1, stages(0.5, decode=0.25, preprocess=0.125, infer=2.0, encode=1.0))

    total = statistics.read("mnist", 1).total

    assert total == Totals(1, 500_000_000, 375_000_000, 2_000_000_000, 1_000_000_000)
    assert total.nanoseconds == 3_875_000_000


def test_failures_are_counted_apart(statistics: Statistics) -> None:
    tally = statistics.tally("mnist", 1)
    tally.succeed(1, stages())
    before = statistics.read("mnist", 1)
    tally.fail(0.5)

    found = statistics.read("mnist", 1)

    assert (found.failed.count, found.failed.nanoseconds) == (1, 500_000_000)
    assert (found.total, found.last) == (before.total, before.last)


def test_models_and_versions_are_not_mixed_up(statistics: Statistics) -> None:
    for name, version in (("mnist", 1), ("mnist", 11), ("mnist1", 1)):
        statistics.tally(name, version).succeed(1, stages())

    assert statistics.read("mnist", 1).total.count == 1


def test_workers_are_added_up(folder: Path) -> None:
    for slot in range(3):
        with closing(SlotFiles(folder, slot)) as files:
            Statistics(files).tally("mnist", 1).succeed(2, stages(infer=1.0))

    with closing(SlotFiles(folder, 0)) as files:
        found = Statistics(files).read("mnist", 1)

    assert (found.images, found.total.infer) == (6, 3_000_000_000)


def test_a_worker_that_takes_over_a_slot_goes_on_from_the_counts(folder: Path) -> None:
    for _ in range(2):
        with closing(SlotFiles(folder, 0)) as files:
            own = Statistics(files)
            own.tally("mnist", 1).succeed(1, stages(infer=1.0))
            found = own.read("mnist", 1)

    assert (found.total.count, found.total.infer) == (2, 2_000_000_000)


def test_many_batch_sizes_fit(statistics: Statistics) -> None:
    tally = statistics.tally("a-model-with-a-rather-long-name", 1)
    for size in range(1, 1001):
        tally.succeed(size, stages())

    assert len(statistics.read("a-model-with-a-rather-long-name", 1).batches) == 1000
