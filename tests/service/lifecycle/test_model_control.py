"""Orders for all workers: when they are over, and what is said of them."""

from pathlib import Path

import pytest

from modelrepo.repository import ModelRepository
from service.errors import LoadFailed, ModelNotFound, NotReady
from service.ipc.scoreboard import Scoreboard
from service.ipc.workspace import WorkerContext
from service.lifecycle.model_control import ControlFile, ModelControl
from service.lifecycle.worker_status import VersionStatus, WorkerStatus, WorkerStatuses
from tests.support.bundles.fake_predictors import publish

READY = VersionStatus("mnist", 1, "abc", "", "")
REFUSED = VersionStatus("mnist", 2, "", "model.onnx is missing", "corrupt")


class Office:
    """A control, and two workers that report what a test has them report."""

    def __init__(self, folder: Path) -> None:
        scoreboard = Scoreboard()
        for slot in range(2):
            scoreboard.enter(slot, slot + 1)
        self.orders = ControlFile(folder)
        self._reports = [WorkerStatuses(WorkerContext(folder, slot, scoreboard)) for slot in range(2)]
        self._repository = ModelRepository(folder / "models")
        self.report(0, 0)

    def control(self, patience: float = 60.0) -> ModelControl:
        return ModelControl(self._repository, self.orders, self._reports[0], patience)

    def report(self, *orders: int, versions: tuple[VersionStatus, ...] = (READY,)) -> None:
        """The last order that each worker follows; the versions are the second one's, the first has READY."""
        for reports, order, loaded in zip(self._reports, orders, ((READY,), versions), strict=True):
            reports.write(WorkerStatus("plan", order, loaded))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    publish(tmp_path / "models", "mnist", 1)
    return Office(tmp_path)


@pytest.mark.parametrize(("followed", "over"), [((0, 0), False), ((1, 0), False), ((0, 1), False), ((1, 1), True)])
def test_an_order_is_over_when_every_worker_has_followed(office: Office, followed: tuple[int, int], over: bool) -> None:
    control = office.control()
    order = control.load("mnist")

    office.report(*followed)

    assert control.is_over(order) is over


def test_an_order_that_takes_too_long_is_over_and_goes_on(office: Office) -> None:
    control = office.control(patience=-1)
    order = control.unload("mnist")

    assert control.is_over(order)
    with pytest.raises(NotReady, match="'mnist' is not yet unloaded in every worker"):
        control.check(order)


def test_a_version_that_any_worker_refused_makes_a_load_fail(office: Office) -> None:
    control = office.control()
    order = control.load("mnist")

    office.report(1, 1, versions=(READY, REFUSED))

    with pytest.raises(LoadFailed, match=r"failed to load 'mnist': version 2: model\.onnx is missing"):
        control.check(order)


def test_what_was_followed_well_is_no_error(office: Office) -> None:
    control = office.control()
    order = control.load("mnist")

    office.report(1, 1)

    control.check(order)


def test_a_model_that_is_not_in_the_repository_cannot_be_loaded(office: Office) -> None:
    with pytest.raises(LoadFailed, match=r"failed to load 'minst'.* the repository has mnist"):
        office.control().load("minst")

    assert office.orders.read().last == 0


def test_a_model_that_nobody_knows_cannot_be_unloaded(office: Office) -> None:
    with pytest.raises(ModelNotFound, match="failed to unload 'minst'"):
        office.control().unload("minst")

    assert office.orders.read().last == 0
