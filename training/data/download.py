"""Known data sets, downloaded by `keras.datasets`; a file of its own, because it imports TensorFlow."""

from typing import Any

import keras

from training.data.specs import CIFAR100, CIFAR100_COARSE, DatasetSpec
from training.data.splits import Dataset, make_split
from training.errors import InvalidData

# Keras's name and options for data sets that it labels in several ways; others have their own name and no options.
_OPTIONS = {CIFAR100_COARSE.name: (CIFAR100.name, {"label_mode": "coarse"})}


def download(spec: DatasetSpec, datasets: Any = keras.datasets) -> Dataset:
    """Download a data set, or read it from Keras's cache; raises InvalidData."""
    name, options = _OPTIONS.get(spec.name, (spec.name, {}))
    source = f"keras.datasets.{name}"
    try:
        (train_images, train_labels), (test_images, test_labels) = getattr(datasets, name).load_data(**options)
    except Exception as error:  # Keras raises a bare Exception where its server cannot be reached
        raise InvalidData(f"{source} cannot be downloaded ({error}): give local files by --data") from error
    return Dataset(
        spec,
        make_split(spec, train_images, train_labels, source),
        make_split(spec, test_images, test_labels, source),
    )
