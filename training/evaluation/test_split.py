"""The test split that a bundle was evaluated on: read again from local files, with the labels that the bundle records.

`predictions.npy` in a bundle has the class that Keras predicted for each image of the split, in its order, as uint16.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modelrepo.errors import CorruptBundle
from modelrepo.metadata import Metadata
from modelrepo.reader import Bundle
from training.data.image_folder import Folder, read_test
from training.data.lazy_images import LazyImages
from training.data.load import read_encoded, read_split
from training.data.specs import SPECS, DatasetSpec
from training.data.splits import Labels, Split
from training.data.tar import unpacked
from training.errors import InvalidData

_PREDICTIONS = "predictions.npy"
_ANY_TYPE = "application/octet-stream"  # the service recognizes an image by its first bytes

Encoded = tuple[bytes, str]  # an image file and its content type


@dataclass(frozen=True)
class EncodedFiles(Sequence[Encoded]):
    """Image files with their content types; a file is read when its position is asked for."""

    paths: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, position: Any) -> Any:
        return Path(self.paths[position]).read_bytes(), _ANY_TYPE


@dataclass(frozen=True)
class OpenedSplit:
    """Images with their labels, and the same images as files, in the same order."""

    split: Split
    encoded: Sequence[Encoded]


@contextmanager
def open_test_split(bundle: Bundle, path: Path) -> Iterator[OpenedSplit]:
    """The bundle's test split, readable inside of a `with`; raises InvalidData where the files hold another one."""
    record = bundle.metadata.training.get("dataset", {})
    if "folder" in record:
        with unpacked(path) as folder:
            split = _read_folder(bundle.metadata, record["folder"], folder)
            check_split(bundle, split)
            yield OpenedSplit(split, EncodedFiles(split.images.paths if isinstance(split.images, LazyImages) else ()))
        return
    spec = find_dataset(bundle)
    split = read_split(spec, path, "test")
    check_split(bundle, split)
    yield OpenedSplit(split, read_encoded(spec, path, "test"))


def find_dataset(bundle: Bundle) -> DatasetSpec:
    """The data set that a bundle was trained on; raises InvalidData where it is none of the known ones."""
    name = bundle.metadata.training.get("dataset", {}).get("name")
    if name not in SPECS:
        trained = f"on {name!r}" if name else "elsewhere"
        raise InvalidData(f"{bundle.path} was trained {trained}: it has no test split known here to compare it on")
    return SPECS[name]


def check_split(bundle: Bundle, test: Split) -> None:
    """Raise InvalidData unless a split is the one that the bundle was evaluated on."""
    if test.digest != bundle.metadata.evaluation.get("digest"):
        raise InvalidData("this test split is not the one that the bundle was evaluated on: its digest differs")


def write_predictions(bundle: Path, labels: Labels) -> None:
    """Store the predicted classes, int64 [N], in a bundle's folder."""
    np.save(bundle / _PREDICTIONS, labels.astype(np.uint16))


def read_predictions(bundle: Path) -> Labels:
    """The predicted classes that a bundle's folder holds, int64 [N]; raises CorruptBundle where they cannot be read."""
    try:
        labels: Labels = np.load(bundle / _PREDICTIONS, allow_pickle=False).astype(np.int64)
    except (OSError, ValueError, EOFError) as error:
        raise CorruptBundle(f"{bundle / _PREDICTIONS} cannot be read ({error}): publish the model again") from error
    return labels


def _read_folder(metadata: Metadata, record: Any, path: Path) -> Split:
    size = metadata.input
    spec = DatasetSpec(path.name, (size.height, size.width, size.channels), metadata.labels)
    held_out = {name: record[name] for name in ("seed", "share") if name in record}
    return read_test(Folder(path, spec, metadata.preprocessing, **held_out), tuple(record["classes"]))
