"""`predictions.npy`: the label index that Keras gave each image of the test split, uint16, in the split's order."""

from pathlib import Path

import numpy as np

from modelrepo.errors import CorruptBundle
from training.data.splits import Labels

_FILE = "predictions.npy"


def write_predictions(bundle: Path, labels: Labels) -> None:
    """Store the labels in a bundle."""
    np.save(bundle / _FILE, labels.astype(np.uint16))


def read_predictions(bundle: Path) -> Labels:
    """Read the labels of a bundle; raises CorruptBundle where it has none."""
    try:
        labels: Labels = np.load(bundle / _FILE, allow_pickle=False).astype(np.int64)
    except (OSError, ValueError, EOFError) as error:
        raise CorruptBundle(f"{bundle / _FILE} cannot be read ({error}): publish the model again") from error
    return labels
