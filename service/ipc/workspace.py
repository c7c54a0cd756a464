"""Files that one process writes and others read at any moment.

A worker's place among the others.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from service.ipc.scoreboard import Scoreboard


def atomic_write(path: Path, text: str) -> None:
    """Write a file so that a reader finds either the old text or the new one, never a part."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(path)


@dataclass(frozen=True)
class WorkerContext:
    """The folder that all workers share while the master lives, the scoreboard, and this worker's row on it."""

    folder: Path
    slot: int
    scoreboard: Scoreboard
