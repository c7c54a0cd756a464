"""What is written down of a run at the end of every epoch: its figures, its learning rate, and its state in a file."""

import time
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from training.checkpoint import Checkpoint, Progress
from training.distribution import Distribution
from training.networks import Network


class Journal(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no type information
    """A callback for `fit`; without a checkpoint nothing is written to disk."""

    def __init__(self, checkpoint: Checkpoint | None = None) -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._started = 0.0
        self.progress = Progress()

    def resume(self, network: Network, distribution: Distribution) -> None:
        """Set a compiled network, its optimizer built, to its file's state; may raise InvalidCheckpoint.

        Without a file they stay as they are. Where several processes train together, all get the state of the chief,
        who alone has a file.
        """
        variables = _variables(network)
        stored = None if self._checkpoint is None else self._checkpoint.load()
        values, self.progress = stored or ([np.array(variable) for variable in variables], Progress())
        *values, epochs = distribution.follow([*values, np.array(self.progress.epochs)])
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
