"""How fast images are prepared and how fast the network is trained, each by itself; a run waits for the slower one."""

import time
from dataclasses import dataclass
from typing import Any

import keras

from training.models.build import Network

Stream = Any  # a tf.data.Dataset; TensorFlow ships no types

_LONGEST = 3.0  # seconds for each of the two: enough for a tenth's accuracy, and never missed after a run of minutes
_SHARE = 0.05  # of the run's time: measuring a run of seconds does not take as long as the run


@dataclass(frozen=True)
class Throughput:
    """Images a second: read, decoded and augmented without a network; trained on one batch without reading."""

    input_images_per_second: float
    network_images_per_second: float


def measure(network: Network, stream: Stream, seconds: float, step_seconds: float) -> Throughput:
    """Drain the stream and then train on its first batch again and again, after a run of so many seconds.

    The network is trained meanwhile: the caller restores its weights.
    """
    budget = min(_LONGEST, seconds * _SHARE)
    return Throughput(_drain(stream, budget), _repeat(network, stream, budget, step_seconds))


def _drain(stream: Stream, budget: float) -> float:
    """From the second batch on: the first waits for what is started by it."""
    batches = iter(stream)
    next(batches, None)
    started, images = time.perf_counter(), 0
    for batch, *_ in batches:
        images += len(batch)
        if time.perf_counter() - started > budget:
            break
    return round(images / (time.perf_counter() - started), 1)


def _repeat(network: Network, stream: Stream, budget: float, step_seconds: float) -> float:
    steps = max(3, round(budget / step_seconds))
    clock = _Clock()
    again = stream.take(1).cache().repeat(steps)
    network.fit(again, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[clock])
    images = len(next(iter(again))[0])
    return round(images * (len(clock.ends) - 1) / (clock.ends[-1] - clock.ends[0]), 1)


class _Clock(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no type information
    """When each step ended; the first one reads the batch, so what follows it is counted."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[float] = []

    def on_train_batch_end(self, *_: object, **__: object) -> None:
        """Keras's name for it."""
        self.ends.append(time.perf_counter())
