"""What each worker has loaded, told to the others by a file a worker in the folder that they share."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from service.inference.model_version import LoadedVersion
from service.inference.predictor import Predictor
from service.ipc.workspace import WorkerContext, atomic_write


@dataclass(frozen=True)
class VersionStatus:
    """A version in one worker; `sha256` is its ONNX file's, empty where it is not served."""

    name: str
    version: int
    sha256: str
    reason: str
    failure: str


@dataclass(frozen=True)
class WorkerStatus:
    """The digest of the plan that a worker has loaded, the last order in effect, and the versions that it tried."""

    prepared: str
    order: int
    versions: tuple[VersionStatus, ...]


def describe_versions(versions: Iterable[LoadedVersion]) -> tuple[VersionStatus, ...]:
    """What a report says of versions."""
    return tuple(
        VersionStatus(each.name, each.version, _digest(each.predictor), each.reason, each.failure) for each in versions
    )


class WorkerStatuses:
    """This worker's report, to write, and those of all workers that take requests, to read."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context

    def write(self, report: WorkerStatus) -> None:
        """Replace this worker's report."""
        atomic_write(_path(self._context.folder, self._context.slot), json.dumps(asdict(report)))

    def read(self) -> list[WorkerStatus]:
        """The reports of this worker and of all others that take requests now."""
        slots = {self._context.slot, *self._context.scoreboard.workers()}
        found = (_read(_path(self._context.folder, slot)) for slot in slots)
        return [report for report in found if report]


def _digest(predictor: Predictor | None) -> str:
    return predictor.digest if predictor else ""


def _path(folder: Path, slot: int) -> Path:
    return folder / f"worker_{slot}.json"


def _read(path: Path) -> WorkerStatus | None:
    try:
        members = json.loads(path.read_text())
    except FileNotFoundError:  # it has just ended
        return None
    versions = tuple(VersionStatus(**each) for each in members["versions"])
    return WorkerStatus(members["prepared"], members["order"], versions)
