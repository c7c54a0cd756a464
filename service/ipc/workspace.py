"""The folder that all processes of the service share, and files in it that are replaced whole."""

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
    """What a worker knows of its place: the shared folder, the scoreboard, and its row (slot) on it."""

    folder: Path
    slot: int
    scoreboard: Scoreboard
