"""How long a run will still take, told after every epoch; Keras's own bar tells it of the epoch alone."""

import time
from collections.abc import Callable

import keras

Clock = Callable[[], float]  # seconds

_SHORT = 30  # seconds that nobody plans by


class TimeLeft(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no type information
    """A callback that says it by `say` after each epoch, as long as it is worth saying.

    The first epoch does not count where there are others: TensorFlow compiles the network in it.
    """

    def __init__(self, epochs: int, say: Callable[[str], None] = print, clock: Clock = time.perf_counter) -> None:
        super().__init__()
        self._epochs = epochs
        self._say = say
        self._clock = clock
        self._ends: list[float] = []

    def on_train_begin(self, _logs: object = None) -> None:
        """Keras's name for it, as is the other."""
        self._ends = [self._clock()]

    def on_epoch_end(self, epoch: int, _logs: object = None) -> None:
        """Say what is left, at the pace so far."""
        self._ends.append(self._clock())
        since = self._ends[1:] if len(self._ends) > 2 else self._ends
        left = (self._epochs - epoch - 1) * (since[-1] - since[0]) / (len(since) - 1)
        if left > _SHORT:
            self._say(f"About {_words(left)} left for {self._epochs - epoch - 1} more epochs")


def _words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
