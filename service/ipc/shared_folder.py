"""The temporary folder of one service, locked as long as a process of it lives; and those of services that were killed.

A lock on the folder itself keeps systemd-tmpfiles away (tmpfiles.d(5), Age). Workers inherit it, so a folder without a
lock belongs to nobody. A file marks the folder, once it is locked, as one that may be removed then.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

PREFIX = "convserve-"
MARK = "this-folder-is-removed-when-its-service-has-ended"
PARENTS = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))  # noqa: S108 - mkdtemp makes a folder of our own
LONGEST_WAIT = 60.0  # seconds in which the workers of a master that was killed end
INTERVAL = 1.0  # seconds between looks whether they have


class SharedFolder:
    """A new folder for what the processes of a service share, and for what outlives its workers."""

    def __init__(self) -> None:
        parents = [*map(Path, filter(None, [os.environ.get("TMPDIR")])), *PARENTS]
        self.path = _make_folder(parents)
        self._lock: int | None = self._take()
        found = {path for parent in parents for path in parent.glob(f"{PREFIX}*")}
        self._others = sorted(found - {self.path})
        self._until = time.monotonic() + LONGEST_WAIT
        self._next_look = 0.0

    def maintain(self) -> None:
        """Remove the folders of killed services that were there at the start, looking again while their workers end.

        And make this one again where somebody has removed it: new workers need it.
        """
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + INTERVAL
        self._others = [path for path in self._others if now < self._until and not _remove_unlocked(path)]
        with suppress(OSError):
            if self._lock is not None and not self.path.is_dir():
                self.path.mkdir(mode=0o700)
                os.close(self._lock)
                self._lock = None
                self._lock = self._take()

    def _take(self) -> int:
        lock = os.open(self.path, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_SH)
        with suppress(OSError):  # of a full disk: then nobody removes it after a crash
            (self.path / MARK).touch()
        return lock

    def remove(self) -> None:
        """Remove the folder, at the end of the service."""
        if self._lock is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = None


def _make_folder(parents: Sequence[Path]) -> Path:
    """A new folder in the first of these that lets us make one.

    Python's own search writes a file to try them, and so finds none where the disk is full.
    """
    for parent in parents[:-1]:
        with suppress(OSError):
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=parents[-1]))


def _remove_unlocked(path: Path) -> bool:
    """Remove a folder of a service none of whose processes lives; False where one may live."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # gone, no folder, or not ours
        return True
    try:
        if os.fstat(lock).st_uid != os.geteuid() or not (path / MARK).is_file():
            return True
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:
        return False
    finally:
        with suppress(OSError):
            os.close(lock)
    return True
