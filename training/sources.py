"""Data sets kept in local files, whatever their form: an `.npz`, a folder of class folders or a tar archive of one."""

import io
import mimetypes
from pathlib import Path

from PIL import Image

from training.arrays import read_arrays
from training.datasets import Dataset, DatasetSpec, Images, Split
from training.errors import InvalidData
from training.imagefiles import decode_files, read_files

_FORMS = "a Keras .npz, a folder with train/<class>/ and test/<class>/, or a .tar.gz of such a folder"


def read_dataset(spec: DatasetSpec, path: Path) -> Dataset:
    """Read both splits; raises InvalidData with a sentence that says what is wrong with which file."""
    return Dataset(spec, read_split(spec, path, "train"), read_split(spec, path, "test"))


def read_split(spec: DatasetSpec, path: Path, split: str) -> Split:
    """Read the `train` or the `test` split."""
    if _is_arrays(path):
        return read_arrays(spec, path, split)
    return decode_files(spec, read_files(path, split), path)


def read_encoded(spec: DatasetSpec, path: Path, split: str) -> list[tuple[bytes, str]]:
    """A split in its order as (file content, content type): as stored, or as PNG where stored as arrays."""
    if _is_arrays(path):
        return [(encode_png(image), "image/png") for image in read_arrays(spec, path, split).images]
    return [(file.content, _content_type(file.name)) for file in read_files(path, split)]


def encode_png(image: Images) -> bytes:
    """One image of [height, width, channels] as a PNG file with exactly its pixels."""
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, "PNG")
    return buffer.getvalue()


def _is_arrays(path: Path) -> bool:
    if not path.exists():
        raise InvalidData(f"{path} does not exist: --data takes {_FORMS}")
    if path.suffix == ".npz":
        return True
    if path.is_dir() or path.name.endswith((".tar.gz", ".tgz", ".tar")):
        return False
    raise InvalidData(f"{path} is of no known form: --data takes {_FORMS}")


def _content_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
