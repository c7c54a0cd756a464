"""Requests to load and unload for all workers: when they are over, and what is said of them."""

from pathlib import Path

import pytest

from modelrepo.repository import ModelRepository
from service.errors import LoadFailed, ModelNotFound, NotReady
from service.inference.model_version import FailedVersion, LoadedVersion, ModelVersion, PendingVersion
from service.ipc.scoreboard import Scoreboard
from service.ipc.workspace import WorkerContext
from service.lifecycle.model_control import ControlFile, ModelControl
from service.lifecycle.worker_status import WorkerStatuses
from tests.support.bundles.fake_predictors import predictor, publish

LOADED = LoadedVersion("mnist", 1, predictor())
FAILED = FailedVersion("mnist", 2, "model.onnx is missing", "corrupt")


class Cluster:
    """A model control, and two workers with the statuses that a test gives them."""

    def __init__(self, folder: Path) -> None:
        scoreboard = Scoreboard()
        for slot in range(2):
            scoreboard.enter(slot, slot + 1)
        self.control_file = ControlFile(folder)
        self._statuses = [WorkerStatuses(WorkerContext(folder, slot, scoreboard)) for slot in range(2)]
        self._repository = ModelRepository(folder / "models")
        self.write_statuses(0, 0)

    def control(self, timeout: float = 60.0) -> ModelControl:
        return ModelControl(self._repository, self.control_file, self._statuses[0], timeout)

    def write_statuses(self, *generations: int, versions: tuple[ModelVersion, ...] = (LOADED,)) -> None:
        """The generation that each worker observes; the versions are the second one's, the first has LOADED."""
        for statuses, generation, held in zip(self._statuses, generations, ((LOADED,), versions), strict=True):
            statuses.write("plan", generation, held)


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    publish(tmp_path / "models", "mnist", 1)
    return Cluster(tmp_path)


@pytest.mark.parametrize(("observed", "over"), [((0, 0), False), ((1, 0), False), ((0, 1), False), ((1, 1), True)])
def test_a_request_is_over_when_every_worker_has_observed_it(
    cluster: Cluster, observed: tuple[int, int], over: bool
) -> None:
    control = cluster.control()
    request = control.load("mnist")

    cluster.write_statuses(*observed)

    assert control.is_over(request) is over


def test_a_request_that_takes_too_long_is_over_and_goes_on(cluster: Cluster) -> None:
    control = cluster.control(timeout=-1)
    request = control.unload("mnist")

    assert control.is_over(request)
    with pytest.raises(NotReady, match="'mnist' is not yet unloaded in every worker"):
        control.check(request)


def test_a_version_that_failed_in_any_worker_makes_a_load_fail(cluster: Cluster) -> None:
    control = cluster.control()
    request = control.load("mnist")

    cluster.write_statuses(1, 1, versions=(LOADED, FAILED))

    with pytest.raises(LoadFailed, match=r"failed to load 'mnist': version 2: model\.onnx is missing"):
        control.check(request)


def test_a_request_waits_for_versions_of_its_model_that_are_loading_and_for_no_others(cluster: Cluster) -> None:
    control = cluster.control()
    requests = [control.load("mnist"), control.unload("mnist")]

    cluster.write_statuses(2, 2, versions=(LOADED, PendingVersion("other", 1, 1.0)))
    over_without = [control.is_over(request) for request in requests]
    cluster.write_statuses(2, 2, versions=(LOADED, PendingVersion("mnist", 2, 1.0)))

    assert over_without == [True, True]
    assert not control.is_over(requests[0])
    with pytest.raises(NotReady, match="'mnist' is not yet loaded in every worker"):
        control.check(requests[0])


def test_a_request_that_succeeded_is_no_error(cluster: Cluster) -> None:
    control = cluster.control()
    request = control.load("mnist")

    cluster.write_statuses(1, 1)

    control.check(request)


def test_a_model_that_is_not_in_the_repository_cannot_be_loaded(cluster: Cluster) -> None:
    with pytest.raises(LoadFailed, match=r"failed to load 'minst'.* the repository has mnist"):
        cluster.control().load("minst")

    assert cluster.control_file.read().generation == 0


def test_an_unknown_model_cannot_be_unloaded(cluster: Cluster) -> None:
    with pytest.raises(ModelNotFound, match="failed to unload 'minst'"):
        cluster.control().unload("minst")

    assert cluster.control_file.read().generation == 0
