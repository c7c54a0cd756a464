"""The readers of local files by their form: Keras's `.npz`, CIFAR's original files, or class folders of image files.

Folders may be packed as tar archives.
"""

import mimetypes
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from preprocessing.png import encode_png
from training.data.cifar import find_cifar_layout, read_cifar
from training.data.image_files import decode_files, read_files
from training.data.specs import DatasetSpec
from training.data.splits import Dataset, Split, make_split
from training.data.tar import ARCHIVES
from training.errors import InvalidData

ReadSplit = Callable[[DatasetSpec, Path, str], Split]

_FORMS = (
    "a Keras .npz, a folder with train/<class>/ and test/<class>/, a folder with CIFAR's original files, "
    "or a .tar.gz of such a folder"
)


def read_dataset(spec: DatasetSpec, path: Path) -> Dataset:
    """Read both splits; raises InvalidData, which names the file."""
    return Dataset(spec, read_split(spec, path, "train"), read_split(spec, path, "test"))


def read_split(spec: DatasetSpec, path: Path, split: str) -> Split:
    """Read the `train` or the `test` split; raises InvalidData."""
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
    """The reader of a source that holds pixels; None where it holds image files."""
    if not path.exists():
        raise InvalidData(f"{path} does not exist: --data takes {_FORMS}")
    if path.suffix == ".npz":
        return _read_npz
    if path.is_dir() or path.name.endswith(ARCHIVES):
        layout = find_cifar_layout(path)
        return None if layout is None else partial(read_cifar, layout)
    raise InvalidData(f"{path} is of no known form: --data takes {_FORMS}")


def _read_npz(spec: DatasetSpec, path: Path, split: str) -> Split:
    """Read x_train and y_train, or x_test and y_test, from one of Keras's files; raises InvalidData."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            images, labels = stored[f"x_{split}"], stored[f"y_{split}"]
    except KeyError as error:
        raise InvalidData(f"{path} has no x_{split} and y_{split}: it is not one of Keras's data sets") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidData(f"{path} cannot be read as an .npz archive ({error}): copy it again") from error
    return make_split(spec, images, labels, str(path))


def _content_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
