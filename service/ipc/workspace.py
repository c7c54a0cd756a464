"""The folder that all processes of the service share, and files in it that are replaced whole."""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from service.ipc.output import warn_of_dropped_lines
from service.ipc.scoreboard import Scoreboard
from service.ipc.worker_warnings import WorkerWarnings


def atomic_write(path: Path, text: str) -> None:
    """Write a file so that a reader finds either the old text or the new one, never a part.

    Raises OSError, as where the disk is full, and then the old text is still there.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text)
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise


def try_write(path: Path, text: str, warnings: WorkerWarnings) -> bool:
    """Write such a file, or warn that it cannot be written, as where the disk is full; returns whether it is."""
    subject = f"shared/{path.name}"
    try:
        atomic_write(path, text)
    except OSError as error:
        place = f"the folder that the workers share, {path.parent.name}"
        warnings.add(subject, f"it cannot be written in {place}: {error.strerror}")
        return False
    warnings.remove(subject)
    return True


@dataclass(frozen=True)
class WorkerContext:
    """What a worker knows of its place: the shared folder, the scoreboard, its row (slot) on it, and its warnings."""

    folder: Path
    slot: int
    scoreboard: Scoreboard
    warnings: WorkerWarnings = field(default_factory=WorkerWarnings)

    def beat(self, ahead: float = 0.0) -> None:
        """Tell the master that this worker is alive, and warn where it cannot start others or nobody reads the log.

        A worker that does not say so for a minute is replaced; `ahead` is the seconds of one piece of work that may
        take longer.
        """
        self.scoreboard.beat(self.slot, ahead)
        warn_of_dropped_lines(self.warnings)
        if cause := self.scoreboard.failing_start:
            self.warnings.add("workers", f"a worker could not be started ({cause}); the master tries again")
        else:
            self.warnings.remove("workers")
