"""The thread beside the loop: when it looks, when the loop swaps, and what becomes of what was served."""

import gc
import os
import select
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from weakref import ref

import pytest

from modelrepo.repository import ModelRepository
from service.inference.model_version import LoadedVersion, UnloadedVersion
from service.inference.registry import ModelRegistry
from service.ipc.scoreboard import Scoreboard
from service.ipc.workspace import WorkerContext
from service.lifecycle.model_control import ControlFile
from service.lifecycle.planner import Plan, Planner
from service.lifecycle.reloader import ModelReloader
from service.lifecycle.trials import NoTrials
from service.lifecycle.version_cache import VersionCache
from service.lifecycle.worker_status import WorkerStatuses
from tests.support.bundles.fake_predictors import open_fake, publish
from tests.support.processes.service import until

INTERVAL = 0.05


class Worker:
    """A reloader that has begun, and the part of a worker's loop that it needs."""

    def __init__(self, folder: Path, slot: int, scoreboard: Scoreboard, interval: float) -> None:
        repository = ModelRepository(folder / "models")
        self.registry = ModelRegistry([], "mnist")
        self.control_file = ControlFile(folder)
        self.statuses = WorkerStatuses(WorkerContext(folder, slot, scoreboard))
        self.plans: list[Plan] = []
        planner = Planner(repository, 2, VersionCache(repository, open_fake, NoTrials()), folder)
        self.reloader = ModelReloader(
            planner, self.registry, self.control_file, self.statuses, interval=interval, on_plan=self.plans.append
        )
        self.reloader.begin()

    def start(self) -> "Worker":
        self._descriptor = self.reloader.start()
        return self

    def turn(self) -> None:
        """Swap, if the thread asks for it."""
        if select.select([self._descriptor], [], [], 0)[0]:
            self.reloader.on_readable()

    def serves(self, *versions: int) -> bool:
        self.turn()
        return [each.version for each in self.registry if isinstance(each, LoadedVersion)] == list(versions)


StartWorker = Callable[..., Worker]


@pytest.fixture
def scoreboard() -> Scoreboard:
    return Scoreboard()


@pytest.fixture
def start_worker(tmp_path: Path, scoreboard: Scoreboard) -> Iterator[StartWorker]:
    """Workers over one repository, which has version 1 of `mnist`; their threads end with them."""
    workers: list[Worker] = []

    def make(interval: float = INTERVAL) -> Worker:
        workers.append(Worker(tmp_path, 0, scoreboard, interval))
        return workers[-1].start()

    publish(tmp_path / "models", "mnist", 1)
    yield make
    for worker in workers:
        worker.reloader.stop()


def test_what_is_there_is_served_before_the_thread_starts(start_worker: StartWorker) -> None:
    assert start_worker().serves(1)


def test_a_new_version_is_swapped_in_by_the_loop(start_worker: StartWorker, tmp_path: Path) -> None:
    worker = start_worker()
    publish(tmp_path / "models", "mnist", 2)

    until(lambda: worker.serves(1, 2), "the new version is served")

    assert [attempt.version.version for attempt in worker.plans[-1].attempts] == [2]


def test_a_load_request_is_followed_without_any_polling(start_worker: StartWorker, tmp_path: Path) -> None:
    worker = start_worker(interval=0)
    publish(tmp_path / "models", "mnist", 2)
    generation = worker.control_file.load("mnist")

    until(lambda: worker.serves(1, 2), "the request is followed")

    until(
        lambda: [status.observed_generation for status in worker.statuses.read()] == [generation],
        "the others can read it",
    )


def test_what_is_retired_is_released(start_worker: StartWorker, tmp_path: Path) -> None:
    publish(tmp_path / "models", "mnist", 2)
    worker = start_worker()
    retired = ref(worker.registry.get("mnist", 2))
    shutil.rmtree(tmp_path / "models" / "mnist" / "2")

    until(lambda: worker.serves(1), "the version is gone")
    worker.plans.clear()

    until(lambda: gc.collect() >= 0 and retired() is None, "nothing holds it")


def test_a_worker_waits_for_the_others_before_it_swaps(
    start_worker: StartWorker, scoreboard: Scoreboard, tmp_path: Path
) -> None:
    scoreboard.enter(1, 1)
    other = WorkerStatuses(WorkerContext(tmp_path, 1, scoreboard))
    worker = start_worker()
    other.write("something else", 0, ())
    before = prepared(worker)
    publish(tmp_path / "models", "mnist", 2)
    until(lambda: prepared(worker) != before, "it has loaded the new version")
    was_alone = worker.serves(1)

    other.write(prepared(worker), 0, ())

    until(lambda: worker.serves(1, 2), "it swaps")
    assert was_alone


def test_a_problem_is_known_at_once_whatever_the_other_workers_have_loaded(
    start_worker: StartWorker, scoreboard: Scoreboard, tmp_path: Path
) -> None:
    scoreboard.enter(1, 1)
    WorkerStatuses(WorkerContext(tmp_path, 1, scoreboard)).write("stands still", 0, ())
    worker = start_worker()
    (tmp_path / "models").rename(tmp_path / "away")

    def knows() -> bool:
        worker.turn()
        return bool(worker.registry.contents.problems.repository)

    until(knows, "the loss is known", seconds=10)

    assert worker.serves(1)


def observed(worker: Worker) -> list[int]:
    return [status.observed_generation for status in worker.statuses.read()]


def prepared(worker: Worker) -> str:
    return worker.statuses.read()[0].prepared


def test_a_request_that_came_while_a_worker_started_is_followed_before_its_first_request(
    tmp_path: Path, scoreboard: Scoreboard
) -> None:
    publish(tmp_path / "models", "mnist", 1)
    worker = Worker(tmp_path, 0, scoreboard, interval=0)
    generation = worker.control_file.unload("mnist")

    worker.start().reloader.stop()

    assert [type(each) for each in worker.registry] == [UnloadedVersion]
    assert observed(worker) == [generation]


def test_a_worker_waits_no_longer_for_a_plan_that_is_overtaken(
    start_worker: StartWorker, scoreboard: Scoreboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.lifecycle.reloader.SWAP_TIMEOUT", 1.0)
    scoreboard.enter(1, 1)
    WorkerStatuses(WorkerContext(tmp_path, 1, scoreboard)).write("stands still", 0, ())
    worker = start_worker(interval=0)
    publish(tmp_path / "models", "mnist", 2)

    def serves_after_another_request() -> bool:
        worker.control_file.load("mnist")
        time.sleep(0.2)
        return worker.serves(1, 2)

    until(serves_after_another_request, "it goes ahead without the other one", seconds=5)


def test_a_status_that_could_not_be_written_is_written_later(
    start_worker: StartWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.lifecycle.reloader.SWAP_TIMEOUT", 0.1)
    worker = start_worker()
    obstacle = tmp_path / f".worker_0.json.{os.getpid()}"
    obstacle.mkdir()
    publish(tmp_path / "models", "mnist", 2)
    until(lambda: worker.serves(1, 2), "the new version is served")

    obstacle.rmdir()

    until(lambda: [len(status.versions) for status in worker.statuses.read()] == [2], "the others can read it")
