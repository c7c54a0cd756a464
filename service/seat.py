"""A worker's place among the others."""

from dataclasses import dataclass
from pathlib import Path

from service.scoreboard import Scoreboard


@dataclass(frozen=True)
class Seat:
    """The folder that all workers share while the master lives, this worker's row on the scoreboard, and that."""

    folder: Path
    slot: int
    scoreboard: Scoreboard
