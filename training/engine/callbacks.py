"""Keras callbacks: ending between two batches on Ctrl-C and SIGTERM, time left, and figures for TensorBoard.

Python raises KeyboardInterrupt wherever the main thread happens to be. In code that TensorFlow's C++ half has called,
that aborts the process instead of ending it.

TensorBoard's files are written by TensorFlow alone: whoever looks at them installs `tensorboard`. Folders and names are
those of keras.callbacks.TensorBoard, which cannot write without that package: `epoch_loss` in `train` and in
`validation`, so that TensorBoard draws both into one chart.
"""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no type information
    """A callback to fit with inside of its `with`; raises KeyboardInterrupt after the batch in which a signal came.

    A second signal ends the process as it would without this.
    """

    def __init__(self) -> None:
        super().__init__()
        self._interrupted = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._restore()
        if error is None:
            self._raise_if_interrupted()

    def on_train_batch_end(self, *_: object, **__: object) -> None:
        """Keras's name for it."""
        self._raise_if_interrupted()

    def on_test_batch_end(self, *_: object, **__: object) -> None:
        """The same during the validation."""
        self._raise_if_interrupted()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _raise_if_interrupted(self) -> None:
        if self._interrupted:
            raise KeyboardInterrupt


Clock = Callable[[], float]  # seconds

_SHORT = 30  # seconds; less is not worth a line


class TimeLeft(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no type information
    """A callback that prints the time left after each epoch, by `say`, while it is more than half a minute.

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


# By this TensorBoard knows which plugin draws a tensor.
_SCALAR = tf.compat.v1.SummaryMetadata(plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"))
_VALIDATION = "val_"


class TensorBoardLog(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no type information
    """A callback for `fit`: loss, accuracy and learning rate of every epoch, from 0 on, below a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Keras's name for it, as is the other."""
        figures = {**logs, "learning_rate": float(np.array(self.model.optimizer.learning_rate))}
        for name, value in figures.items():
            part = "validation" if name.startswith(_VALIDATION) else "train"
            self._write(part, f"epoch_{name.removeprefix(_VALIDATION)}", value, epoch)
        for writer in self._writers.values():
            writer.flush()  # TensorBoard follows a run while it goes on

    def on_train_end(self, _logs: object = None) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()

    def _write(self, part: str, name: str, value: float, epoch: int) -> None:
        if part not in self._writers:
            self._writers[part] = tf.summary.create_file_writer(str(self._folder / part))
        with self._writers[part].as_default():
            tf.summary.write(name, tf.constant(value, tf.float32), epoch, _SCALAR)
