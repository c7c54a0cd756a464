"""Where the folder that the workers share cannot be written, a worker starts, follows and serves all the same."""

import shutil
from pathlib import Path

import pytest

from service.errors import NotReady
from service.ipc.scoreboard import Scoreboard
from service.ipc.worker_warnings import WorkerWarnings
from service.ipc.workspace import WorkerContext
from service.lifecycle.model_control import ControlFile, ControlState
from service.lifecycle.planner import RequiredModels
from service.lifecycle.worker_status import WorkerStatuses


@pytest.fixture
def missing(tmp_path: Path) -> Path:
    """A folder that nothing can be written in; root may write in every folder that there is."""
    return tmp_path / "missing"


def test_required_models_are_known_and_shared_later(missing: Path) -> None:
    warnings = WorkerWarnings()
    required = RequiredModels(missing, warnings)
    required.begin(["mnist"])
    before = required.add([]), dict(warnings.sentences)
    missing.mkdir()
    required.add([])
    other = RequiredModels(missing)
    other.begin([])

    assert before[0] == {"mnist"}
    assert before[1].keys() == {"shared/required.json"}
    assert warnings.sentences == {}
    assert other.add([]) == {"mnist"}


def test_a_status_is_known_to_its_own_worker(missing: Path) -> None:
    context = WorkerContext(missing, 3, Scoreboard())
    statuses = WorkerStatuses(context)

    assert not statuses.write("digest", 1, [])
    assert [status.prepared for status in statuses.read()] == ["digest"]
    assert context.warnings.sentences.keys() == {"shared/worker_3.json"}


def test_a_control_request_that_cannot_be_written_is_refused(missing: Path) -> None:
    control = ControlFile(missing)

    with pytest.raises(NotReady, match="No such file or directory"):
        control.unload("mnist")
    assert control.read() == ControlState()


def test_a_control_state_that_cannot_be_read_is_what_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    control = ControlFile(folder)
    control.unload("mnist")
    before = control.read()
    shutil.rmtree(folder)

    assert control.read() == before == ControlState(1, frozenset({"mnist"}))
