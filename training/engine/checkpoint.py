"""A run's state after its last whole epoch, in one file, so that a killed run can be taken up where it was."""

import json
import time
import zipfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.engine.distributed.strategy import Distribution
from training.errors import InvalidCheckpoint
from training.files import replacing
from training.models.build import Network

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
    """The file of a run's state; `identity` is a digest of the run, so that another run's state is refused."""

    path: Path
    identity: str

    def save(self, values: list[NDArray[Any]], progress: Progress) -> None:
        """Replace what the file holds by these values of variables, whole or not at all."""
        progress_text = json.dumps({"identity": self.identity, **asdict(progress)})
        arrays = {f"{position}": value for position, value in enumerate(values)}
        with replacing(self.path) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **{_PROGRESS: np.array(progress_text)}, **arrays)

    def load(self) -> tuple[list[NDArray[Any]], Progress] | None:
        """What the file holds, None where there is none; raises InvalidCheckpoint."""
        if not self.path.exists():
            return None
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                record = json.loads(str(stored[_PROGRESS]))
                values = [stored[f"{position}"] for position in range(len(stored.files) - 1)]
            identity, progress = record.pop("identity"), Progress(**record)
        except _DAMAGED as error:
            raise InvalidCheckpoint(f"{self.path} cannot be read ({error}): delete it to start anew") from error
        if identity != self.identity:
            raise InvalidCheckpoint(
                f"{self.path} is the state of a run with another recipe, seed or data: name another file, "
                "or delete this one to start anew"
            )
        return values, progress


class CheckpointCallback(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no type information
    """A callback for `fit`; without a checkpoint nothing is written to disk."""

    def __init__(self, checkpoint: Checkpoint | None = None) -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._started = 0.0
        self.progress = Progress()

    def restore(self, network: Network, distribution: Distribution) -> None:
        """Set a compiled network, its optimizer built, to its file's state; may raise InvalidCheckpoint.

        Without a file they stay as they are. Where several processes train together, all get the state of the chief,
        who alone has a file.
        """
        variables = _variables(network)
        stored = None if self._checkpoint is None else self._checkpoint.load()
        values, self.progress = stored or ([np.array(variable) for variable in variables], Progress())
        *values, epochs = distribution.broadcast([*values, np.array(self.progress.epochs)])
        self.progress = replace(self.progress, epochs=int(epochs))
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def on_train_begin(self, *_: object) -> None:
        """Keras's name for it, as are the others."""
        self._started = time.perf_counter() - self.progress.seconds

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Note the figures of an epoch; the state is complete only now, after the validation."""
        figures = {**logs, "learning_rate": float(np.array(self.model.optimizer.learning_rate))}
        history = {name: [*self.progress.history.get(name, []), float(value)] for name, value in figures.items()}
        self.progress = Progress(epoch + 1, time.perf_counter() - self._started, history)
        if self._checkpoint is not None:
            values = [np.array(variable) for variable in _variables(self.model)]
            self._checkpoint.save(values, self.progress)


def _variables(network: Network) -> list[Any]:
    """All that changes while a network learns: weights, running statistics, momenta, the count of steps."""
    return [*network.variables, *network.optimizer.variables]
