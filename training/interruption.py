"""Ctrl-C and SIGTERM while Keras fits: heard at once, obeyed between two batches.

Python raises KeyboardInterrupt wherever the main thread happens to be. In code that TensorFlow's C++ half has called,
that aborts the process instead of ending it.
"""

import signal
from types import FrameType, TracebackType
from typing import Any, Self

import keras

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no type information
    """A callback to fit with inside of its `with`; raises KeyboardInterrupt after the batch in which a signal came.

    A second signal ends the process as it would without this.
    """

    def __init__(self) -> None:
        super().__init__()
        self._heard = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._hear) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._restore()
        if error is None:
            self._obey()

    def on_train_batch_end(self, *_: object, **__: object) -> None:
        """Keras's name for it."""
        self._obey()

    def on_test_batch_end(self, *_: object, **__: object) -> None:
        """The same while the held out images are looked at."""
        self._obey()

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._heard = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _obey(self) -> None:
        if self._heard:
            raise KeyboardInterrupt
