"""Data sets kept in local files, whatever their form.

Pixels are in an `.npz` or in CIFAR's original files, image files in class folders; folders may be packed by tar.
"""

import mimetypes
from collections.abc import Callable
from functools import partial
from pathlib import Path

from preprocessing.png import encode_png
from training.data.cifar import find_layout, read_original
from training.data.image_files import decode_files, read_files
from training.data.npz import read_arrays
from training.data.specs import DatasetSpec
from training.data.splits import Dataset, Split
from training.errors import InvalidData

ReadSplit = Callable[[DatasetSpec, Path, str], Split]

_FORMS = (
    "a Keras .npz, a folder with train/<class>/ and test/<class>/, a folder with CIFAR's original files, "
    "or a .tar.gz of such a folder"
)


def read_dataset(spec: DatasetSpec, path: Path) -> Dataset:
    """Read both splits; raises InvalidData with a sentence that says what is wrong with which file."""
    return Dataset(spec, read_split(spec, path, "train"), read_split(spec, path, "test"))


def read_split(spec: DatasetSpec, path: Path, split: str) -> Split:
    """Read the `train` or the `test` split."""
    read_pixels = _find_pixels(path)
    if read_pixels is not None:
        return read_pixels(spec, path, split)
    return decode_files(spec, read_files(path, split), path)


def read_encoded(spec: DatasetSpec, path: Path, split: str) -> list[tuple[bytes, str]]:
    """A split in its order as (file content, content type): as stored, or as PNG where stored as pixels."""
    read_pixels = _find_pixels(path)
    if read_pixels is not None:
        return [(encode_png(image), "image/png") for image in read_pixels(spec, path, split).images]
    return [(file.content, _content_type(file.name)) for file in read_files(path, split)]


def _find_pixels(path: Path) -> ReadSplit | None:
    """What reads a source that holds pixels; None where it holds image files."""
    if not path.exists():
        raise InvalidData(f"{path} does not exist: --data takes {_FORMS}")
    if path.suffix == ".npz":
        return read_arrays
    if path.is_dir() or path.name.endswith((".tar.gz", ".tgz", ".tar")):
        layout = find_layout(path)
        return None if layout is None else partial(read_original, layout)
    raise InvalidData(f"{path} is of no known form: --data takes {_FORMS}")


def _content_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
