"""What processes that train together agree on once an epoch, each having seen its own share of it."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

Tensor = Any  # a tf.Tensor; TensorFlow ships no types
Mean = Callable[[Sequence[Tensor]], list[Tensor]]  # over all processes, of each tensor


class Agreement(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no type information
    """A callback for `fit` that makes the processes' running statistics and figures everybody's."""

    def __init__(self, steps: int, mean_of_statistics: Mean, mean_of_figures: Mean) -> None:
        super().__init__()
        self._steps = steps
        self._mean_of_statistics = mean_of_statistics
        self._mean_of_figures = mean_of_figures

    def on_train_batch_end(self, batch: int, *_: object, **__: object) -> None:
        """Keras's name for it: the statistics of normalisation, before the held out images are looked at."""
        statistics = self.model.non_trainable_weights
        if batch == self._steps - 1 and statistics:
            means = self._mean_of_statistics([tf.convert_to_tensor(variable.value) for variable in statistics])
            for variable, mean in zip(statistics, means, strict=True):
                variable.assign(mean)

    def on_epoch_end(self, _epoch: int, logs: dict[str, float]) -> None:
        """Loss and accuracy of what was learned from; the callbacks after this one read them in `logs`."""
        names = sorted(name for name in logs if not name.startswith("val_"))
        means = self._mean_of_figures([tf.constant(float(logs[name]), tf.float64) for name in names])
        logs.update(zip(names, map(float, means), strict=True))
