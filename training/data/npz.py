"""Keras's `.npz` files: x_train, y_train, x_test and y_test in one archive."""

import zipfile
from pathlib import Path

import numpy as np

from training.data.specs import DatasetSpec
from training.data.splits import Split, make_split
from training.errors import InvalidData


def read_arrays(spec: DatasetSpec, path: Path, split: str) -> Split:
    """Read a split from an `.npz`; raises InvalidData where it is damaged, lacks the arrays or has other shapes."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            images, labels = stored[f"x_{split}"], stored[f"y_{split}"]
    except KeyError as error:
        raise InvalidData(f"{path} has no x_{split} and y_{split}: it is not one of Keras's data sets") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidData(f"{path} cannot be read as an .npz archive ({error}): copy it again") from error
    return make_split(spec, images, labels, str(path))
