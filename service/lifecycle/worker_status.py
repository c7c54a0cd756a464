"""The status of each worker: which versions it has, in a file of its own in the folder that all workers share."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from service.inference.model_version import LoadedVersion, ModelVersion
from service.ipc.workspace import WorkerContext, try_write


@dataclass(frozen=True)
class VersionStatus:
    """A version in one worker; `sha256` is its ONNX file's, empty where it is not loaded."""

    name: str
    version: int
    sha256: str
    reason: str
    failure: str
    loading_since: float  # Unix seconds; 0 where it is not loading


@dataclass(frozen=True)
class WorkerStatus:
    """One worker's status.

    `prepared` is the digest of the plan that it has loaded, `observed_generation` the generation of the model control
    that is in effect, and `versions` are all that it has, loaded or not.
    """

    prepared: str
    observed_generation: int
    versions: tuple[VersionStatus, ...]


class WorkerStatuses:
    """This worker's status, to write, and those of all workers that take requests, to read."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._own: WorkerStatus | None = None

    def write(self, prepared: str, observed_generation: int, versions: Iterable[ModelVersion]) -> bool:
        """Replace this worker's status; returns whether others can read it, and warns where they cannot."""
        self._own = WorkerStatus(prepared, observed_generation, tuple(map(_status, versions)))
        return try_write(self._path(self._context.slot), json.dumps(asdict(self._own)), self._context.warnings)

    def read(self) -> list[WorkerStatus]:
        """The statuses of this worker and of all others that take requests now."""
        others = [_read(self._path(slot)) for slot in self._context.scoreboard.workers() if slot != self._context.slot]
        return [status for status in (self._own, *others) if status]

    def _path(self, slot: int) -> Path:
        return self._context.folder / f"worker_{slot}.json"


def _status(version: ModelVersion) -> VersionStatus:
    sha256 = version.predictor.digest if isinstance(version, LoadedVersion) else ""
    return VersionStatus(version.name, version.version, sha256, version.reason, version.failure, version.loading_since)


def _read(path: Path) -> WorkerStatus | None:
    try:
        members = json.loads(path.read_text())
    except (OSError, ValueError):  # the worker has just ended, or could not write it
        return None
    versions = tuple(VersionStatus(**each) for each in members["versions"])
    return WorkerStatus(members["prepared"], members["observed_generation"], versions)
