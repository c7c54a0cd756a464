"""The journal of trials: which bundles passed their trial, which failed it and why, in a file that all workers share.

The trial process alone writes it (`service.lifecycle.trial_process`); it outlives both that process and the workers.
"""

import fcntl
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from service.ipc.workspace import atomic_write
from service.lifecycle.snapshot import Key

MAX_RECORDS = 1000  # the latest; a bundle whose record is dropped is tried again by the next worker
SLOW = 0.1  # seconds of running after which other versions of the model are tried beside it
LONG = 0.5  # seconds of running after which no start of a worker waits for it


@dataclass(frozen=True)
class TrialRecord:
    """A trial of a bundle's `files` (`digest`), made for a load `request` (its generation, 0 where there was none).

    `since` is the time (Unix seconds) at which it was first wanted, `ran` the seconds that it has run so far. One that
    `is_over` has failed where it has a sentence and a word for the metric, else it has passed.
    """

    files: str
    request: int
    since: float
    ran: float = 0.0
    is_over: bool = False
    reason: str = ""
    failure: str = ""

    def is_of(self, files: str, request: int) -> bool:
        """Whether it is a trial of these files; one that did not pass counts until a later load request only."""
        has_passed = self.is_over and not self.failure
        return self.files == files and (has_passed or self.request >= request)


PASSED = TrialRecord("", 0, 0.0, is_over=True)


@dataclass(frozen=True)
class WantedTrial:
    """A trial that a worker wants; `urgent` is one of a model that has a loaded version."""

    name: str
    version: int
    files: str
    request: int
    urgent: bool = field(compare=False)

    @property
    def key(self) -> Key:
        """The bundle."""
        return self.name, self.version


class TrialFolder:
    """The folder of trials below that of all workers.

    It has the journal and, for each worker that has ever wanted a trial, a list of those that it wants now and a lock
    that it holds as long as it lives.
    """

    def __init__(self, shared: Path) -> None:
        self.path = shared / "trials"
        self.journal = self.path / "journal.json"
        self.lock = self.path / "process"  # locked by the one trial process
        self._lists: dict[Path, tuple[object, list[WantedTrial]]] = {}

    def read(self) -> dict[Key, TrialRecord]:
        """All records; none where nothing was ever tried. Raises OSError."""
        try:
            members = json.loads(self.journal.read_text())
        except FileNotFoundError:
            return {}
        return {(name, version): TrialRecord(**record) for name, version, record in members}

    def write(self, records: Mapping[Key, TrialRecord]) -> None:
        """Replace the journal; raises OSError."""
        latest = sorted(records.items(), key=lambda item: item[1].since)[-MAX_RECORDS:]
        atomic_write(self.journal, json.dumps([(*key, asdict(record)) for key, record in latest]))

    def wanted(self) -> list[WantedTrial] | None:
        """What all workers want, each trial once; None where there is no worker that ever wanted one."""
        locks = [path for path in self._list(".lock") if _is_held(path)]
        if not locks:
            return None
        lists = [self._read_list(path.with_suffix(".json")) for path in locks]
        return list(dict.fromkeys(each for wanted in lists for each in wanted))

    def _list(self, suffix: str) -> list[Path]:
        try:
            return sorted(path for path in self.path.iterdir() if path.suffix == suffix)
        except FileNotFoundError:  # the service has ended
            return []

    def _read_list(self, path: Path) -> list[WantedTrial]:
        try:
            stamp = file_stamp(path)
            if stamp != self._lists.get(path, (None, []))[0]:
                self._lists[path] = stamp, [WantedTrial(**each) for each in json.loads(path.read_text())]
        except FileNotFoundError:
            return []
        return self._lists[path][1]


def file_stamp(path: Path) -> object:
    """What changes whenever a file is replaced; raises OSError."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


def _is_held(path: Path) -> bool:
    """Whether a worker that lives holds the lock; one that has been killed holds none, and its files are removed."""
    try:
        with path.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for each in (path.with_suffix(".json"), path):
                each.unlink(missing_ok=True)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False
