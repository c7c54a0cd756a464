"""The `python` version: pickled dictionaries, their keys and strings bytes, as Python 2 wrote them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.cifar.batches import PIXELS, Batch
from training.cifar.pickles import unpickle
from training.errors import InvalidData


@dataclass(frozen=True)
class PickledFormat:
    """The keys of one kind of labels: of their names in one file, of the labels beside `data` in the others."""

    names_file: str
    names_key: bytes
    labels_key: bytes

    def read_names(self, content: bytes, source: str) -> tuple[str, ...]:
        """The names as the archive's list has them."""
        names = _read(content, source, self.names_key)[self.names_key]
        if not isinstance(names, list) or not all(isinstance(name, bytes) for name in names):
            raise InvalidData(f"{source} has no list of names as {_show(self.names_key)}: copy the archive again")
        return tuple(name.decode("ascii", "replace") for name in names)

    def read_batch(self, content: bytes, source: str) -> Batch:
        """The array `data` with the list of labels."""
        stored = _read(content, source, b"data", self.labels_key)
        planes, labels = stored[b"data"], stored[self.labels_key]
        if not isinstance(planes, np.ndarray) or planes.shape[1:] != (PIXELS,):
            raise InvalidData(f"{source} has no uint8 [N, {PIXELS}] as data: copy the archive again")
        if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 256 for label in labels):
            raise InvalidData(f"{source} has no list of labels as {_show(self.labels_key)}: copy the archive again")
        if len(labels) != len(planes):
            raise InvalidData(f"{source} has {len(planes):,} images and {len(labels):,} labels: copy the archive again")
        return Batch(planes, np.array(labels, np.uint8))


def _read(content: bytes, source: str, *keys: bytes) -> dict[bytes, Any]:
    stored = unpickle(content, source)
    if missing := [_show(key) for key in keys if key not in stored]:
        raise InvalidData(f"{source} has no {' and no '.join(missing)}: copy the archive again")
    return stored


def _show(key: bytes) -> str:
    return key.decode("ascii")
