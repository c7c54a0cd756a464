"""Model control: requests to load and unload models, for all workers at once.

Every request raises the generation of the control state, a small file that all workers read. Each worker reports the
generation that it has in effect, as Kubernetes does with `generation` and `observedGeneration`.
"""

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from modelrepo.repository import ModelRepository
from service.errors import LoadFailed, ModelNotFound, NotReady
from service.ipc.workspace import atomic_write
from service.lifecycle.worker_status import VersionStatus, WorkerStatuses


@dataclass(frozen=True)
class ControlState:
    """The generation, the models that are unloaded, and for each other model the generation of its last load."""

    generation: int = 0
    unloaded: frozenset[str] = frozenset()
    loads: dict[str, int] = field(default_factory=dict)

    def loads_since(self, generation: int) -> dict[str, int]:
        """The models that were to be loaded after a generation, each with that of its last load."""
        return {name: loaded for name, loaded in self.loads.items() if loaded > generation}


class ControlFile:
    """The control state on disk; one worker at a time writes it, and all may read it at any time."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "control.json"
        self._lock = folder / "control.lock"
        self._state = ControlState()

    def read(self) -> ControlState:
        """The state now, or what it was when it could last be read, as where there is no file descriptor left."""
        with suppress(OSError, ValueError):
            members = json.loads(self._file.read_text())
            self._state = ControlState(members["generation"], frozenset(members["unloaded"]), members["loads"])
        return self._state

    def load(self, name: str) -> int:
        """Ask for a model to be loaded, its failed versions once more; returns the new generation.

        Raises NotReady where the request cannot be written, as on a full disk; the state is then what it was.
        """
        with self._locked() as state:
            generation = state.generation + 1
            self._write(ControlState(generation, state.unloaded - {name}, {**state.loads, name: generation}))
        return generation

    def unload(self, name: str) -> int:
        """Ask for a model to be unloaded; returns the new generation. Raises NotReady as `load` does."""
        with self._locked() as state:
            generation = state.generation + 1
            self._write(ControlState(generation, state.unloaded | {name}, state.loads))
        return generation

    @contextmanager
    def _locked(self) -> Iterator[ControlState]:
        try:
            with self._lock.open("a") as lock:  # the system unlocks it when it is closed, also where the process dies
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield self.read()
        except OSError as error:
            sentence = f"the request cannot be passed on to the workers: {self._file.parent.name}: {error.strerror}"
            raise NotReady(sentence) from error

    def _write(self, state: ControlState) -> None:
        members = {**asdict(state), "unloaded": sorted(state.unloaded)}
        atomic_write(self._file, json.dumps(members))


@dataclass(frozen=True)
class ControlRequest:
    """A request to load or unload (`verb`) a model; `deadline`, in monotonic seconds, is how long its client waits."""

    generation: int
    verb: str
    name: str
    deadline: float


class ModelControl:
    """Makes requests to all workers, this one included, and reads from their statuses what became of them."""

    def __init__(
        self, repository: ModelRepository, control_file: ControlFile, statuses: WorkerStatuses, timeout: float
    ) -> None:
        """`timeout` is how many seconds a client waits for a request; the workers go on with it afterwards."""
        self._repository = repository
        self._control_file = control_file
        self._statuses = statuses
        self._timeout = timeout

    def load(self, name: str) -> ControlRequest:
        """Ask for a model's newest versions to be loaded, those that failed included; raises LoadFailed."""
        if not self._is_known(name):
            raise self._not_there(name)
        return ControlRequest(self._control_file.load(name), "load", name, time.monotonic() + self._timeout)

    def unload(self, name: str) -> ControlRequest:
        """Ask for a model to be unloaded; raises ModelNotFound."""
        if not self._is_known(name):
            raise ModelNotFound(f"failed to unload {name!r}: there is no such model")
        return ControlRequest(self._control_file.unload(name), "unload", name, time.monotonic() + self._timeout)

    def is_over(self, request: ControlRequest) -> bool:
        """Whether a request is in effect in every worker, or its client waits no longer."""
        return time.monotonic() > request.deadline or self._is_observed(request)

    def check(self, request: ControlRequest) -> None:
        """Raise NotReady where a request is not yet in effect everywhere, LoadFailed where a version failed to load."""
        if not self._is_observed(request):
            raise NotReady(f"{request.name!r} is not yet {request.verb}ed in every worker, and they go on with it")
        versions = self._versions(request.name)
        if request.verb == "load" and not versions:  # it was removed meanwhile
            raise self._not_there(request.name)
        failed = {each.version: each.reason for each in versions if each.failure}
        if failed:
            reasons = "; ".join(f"version {version}: {reason}" for version, reason in sorted(failed.items()))
            raise LoadFailed(f"failed to load {request.name!r}: {reasons}")

    def _is_known(self, name: str) -> bool:
        """Whether a worker or else the repository has it: the disk is only asked about names new to the workers."""
        return bool(self._versions(name)) or self._repository.has_versions(name)

    def _not_there(self, name: str) -> LoadFailed:
        names = sorted({each.name for status in self._statuses.read() for each in status.versions})
        there = f"the repository has {', '.join(names) or 'nothing'}"
        return LoadFailed(f"failed to load {name!r}, failed to poll from model repository: {there}")

    def _is_observed(self, request: ControlRequest) -> bool:
        """In every worker, nothing of the model still loading; what other models do does not matter."""
        return all(
            status.observed_generation >= request.generation
            and not any(each.loading_since and each.name == request.name for each in status.versions)
            for status in self._statuses.read()
        )

    def _versions(self, name: str) -> list[VersionStatus]:
        """The versions of a model in all workers."""
        return [each for status in self._statuses.read() for each in status.versions if each.name == name]
