"""A run's state after its last whole epoch, in one file, so that a killed run can be taken up where it was."""

import json
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import InvalidCheckpoint
from training.wholefile import replacing

History = dict[str, list[float]]

_PROGRESS = "progress"
_DAMAGED = (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Progress:
    """How far a run has come: whole epochs, the seconds that they took, and their figures."""

    epochs: int = 0
    seconds: float = 0.0
    history: History = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """Where a run keeps its state; `identity` tells the run from others, whose state would be wrong for it."""

    path: Path
    identity: str

    def save(self, values: list[NDArray[Any]], progress: Progress) -> None:
        """Replace what the file holds by these values of variables, whole or not at all."""
        told = json.dumps({"identity": self.identity, **asdict(progress)})
        arrays = {f"{position}": value for position, value in enumerate(values)}
        with replacing(self.path) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **{_PROGRESS: np.array(told)}, **arrays)

    def load(self) -> tuple[list[NDArray[Any]], Progress] | None:
        """What the file holds, None where there is none; raises InvalidCheckpoint."""
        if not self.path.exists():
            return None
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                told = json.loads(str(stored[_PROGRESS]))
                values = [stored[f"{position}"] for position in range(len(stored.files) - 1)]
            identity, progress = told.pop("identity"), Progress(**told)
        except _DAMAGED as error:
            raise InvalidCheckpoint(f"{self.path} cannot be read ({error}): delete it to start anew") from error
        if identity != self.identity:
            raise InvalidCheckpoint(
                f"{self.path} is the state of a run with another recipe, seed or data: name another file, "
                "or delete this one to start anew"
            )
        return values, progress
