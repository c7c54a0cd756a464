"""A run's figures in TensorBoard's files, written by TensorFlow alone: whoever looks at them installs `tensorboard`.

Folders and names are those of keras.callbacks.TensorBoard, which cannot write without that package: `epoch_loss` in
`train` and in `validation`, so that TensorBoard draws both into one chart.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

# How TensorBoard knows what a tensor is: the plugin that draws it.
_SCALAR = tf.compat.v1.SummaryMetadata(plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"))
_WATCHED = "val_"


class EventLog(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no type information
    """A callback for `fit`: loss, accuracy and learning rate of every epoch, from 0 on, below a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Keras's name for it, as is the other."""
        figures = {**logs, "learning_rate": float(np.array(self.model.optimizer.learning_rate))}
        for name, value in figures.items():
            part = "validation" if name.startswith(_WATCHED) else "train"
            self._write(part, f"epoch_{name.removeprefix(_WATCHED)}", value, epoch)
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
