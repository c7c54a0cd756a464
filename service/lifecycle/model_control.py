"""What operators ordered over HTTP, for all workers: a small file in the folder that they share.

Loading and unloading on demand, for all workers at once.
"""

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from modelrepo.repository import ModelRepository
from service.errors import LoadFailed, ModelNotFound, NotReady
from service.ipc.workspace import atomic_write
from service.lifecycle.worker_status import VersionStatus, WorkerStatuses


@dataclass(frozen=True)
class ControlState:
    """The last order's number, the models that are unloaded, and the last order to load each of the others."""

    last: int = 0
    unloaded: frozenset[str] = frozenset()
    loads: dict[str, int] = field(default_factory=dict)

    def since(self, number: int) -> set[str]:
        """The models that were to be loaded after an order."""
        return {name for name, order in self.loads.items() if order > number}


class ControlFile:
    """The order book on disk; one worker at a time writes it, and all may read it at any time."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "orders.json"
        self._lock = folder / "orders.lock"

    def read(self) -> ControlState:
        """The orders so far."""
        try:
            members = json.loads(self._file.read_text())
        except FileNotFoundError:
            return ControlState()
        return ControlState(members["last"], frozenset(members["unloaded"]), members["loads"])

    def load(self, name: str) -> int:
        """Order a model to be loaded, which includes another try of what was refused; returns the order's number."""
        with self._locked() as book:
            number = book.last + 1
            self._write(ControlState(number, book.unloaded - {name}, {**book.loads, name: number}))
        return number

    def unload(self, name: str) -> int:
        """Order a model to be let go; returns the order's number."""
        with self._locked() as book:
            number = book.last + 1
            self._write(ControlState(number, book.unloaded | {name}, book.loads))
        return number

    @contextmanager
    def _locked(self) -> Iterator[ControlState]:
        with self._lock.open("a") as lock:  # closing it, or dying, gives the lock back
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.read()

    def _write(self, book: ControlState) -> None:
        members = {**asdict(book), "unloaded": sorted(book.unloaded)}
        atomic_write(self._file, json.dumps(members))


@dataclass(frozen=True)
class ControlRequest:
    """A numbered order, what it does to which model, and until when (monotonic seconds) the client waits for it."""

    number: int
    verb: str
    name: str
    until: float


class ModelControl:
    """Gives orders to all workers, this one included, and sees what comes of them."""

    def __init__(
        self, repository: ModelRepository, orders: ControlFile, reports: WorkerStatuses, patience: float
    ) -> None:
        """`patience` is how many seconds an order may take before its client is told that it goes on."""
        self._repository = repository
        self._orders = orders
        self._reports = reports
        self._patience = patience

    def load(self, name: str) -> ControlRequest:
        """Order a model's newest versions to be loaded, those that were refused included; raises LoadFailed."""
        if not self._repository.versions(name):
            there = f"the repository has {', '.join(self._repository.names()) or 'nothing'}"
            raise LoadFailed(f"failed to load {name!r}, failed to poll from model repository: {there}")
        return self._order(self._orders.load(name), "load", name)

    def unload(self, name: str) -> ControlRequest:
        """Order a model to be let go; raises ModelNotFound."""
        if not self._repository.versions(name) and not any(self._states(name)):
            raise ModelNotFound(f"failed to unload {name!r}: there is no such model")
        return self._order(self._orders.unload(name), "unload", name)

    def is_over(self, order: ControlRequest) -> bool:
        """Whether every worker has followed an order, or its time is up."""
        return time.monotonic() > order.until or self._is_followed(order)

    def check(self, order: ControlRequest) -> None:
        """Raise NotReady where an order is still being followed, LoadFailed where a version was refused."""
        if not self._is_followed(order):
            state = f"{order.name!r} is not yet {order.verb}ed in every worker, and they go on with it"
            raise NotReady(f"{state}: POST /v2/repository/index lists what is served")
        refused = {each.version: each.reason for each in self._states(order.name) if each.failure}
        if refused:
            reasons = "; ".join(f"version {version}: {reason}" for version, reason in sorted(refused.items()))
            raise LoadFailed(f"failed to load {order.name!r}: {reasons}")

    def _order(self, number: int, verb: str, name: str) -> ControlRequest:
        return ControlRequest(number, verb, name, time.monotonic() + self._patience)

    def _is_followed(self, order: ControlRequest) -> bool:
        return all(report.order >= order.number for report in self._reports.read())

    def _states(self, name: str) -> list[VersionStatus]:
        """What every worker says of a model's versions."""
        return [each for report in self._reports.read() for each in report.versions if each.name == name]
