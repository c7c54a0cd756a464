"""Data sets that `keras.datasets` downloads and keeps in its own cache. Apart, because it loads TensorFlow."""

from typing import Any

import keras

from training.datasets import Dataset, DatasetSpec, make_split
from training.errors import InvalidData


def download(spec: DatasetSpec, datasets: Any = keras.datasets) -> Dataset:
    """Fetch a data set, with Keras's progress bar, or take it from the cache of an earlier run."""
    source = f"keras.datasets.{spec.name}"
    try:
        (train_images, train_labels), (test_images, test_labels) = getattr(datasets, spec.name).load_data()
    except Exception as error:  # Keras raises a bare Exception where its server cannot be reached
        raise InvalidData(f"{source} cannot be downloaded ({error}): give local files by --data") from error
    return Dataset(
        spec,
        make_split(spec, train_images, train_labels, source),
        make_split(spec, test_images, test_labels, source),
    )
