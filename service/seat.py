"""A worker's place among the others."""

from dataclasses import dataclass
from pathlib import Path

from service.scoreboard import Scoreboard


@dataclass(frozen=True)
class Seat:
    """The folder that all workers share while the master lives, the scoreboard, and this worker's row on it."""

    folder: Path
    slot: int
    scoreboard: Scoreboard
