"""Tar archives of data sets, compressed or not: opened, checked to their end, unpacked as long as they are needed."""

import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import InvalidData

ARCHIVES = (".tar.gz", ".tgz", ".tar")

# zlib's own error is raised where the damage is inside a member.
_BROKEN = (tarfile.TarError, zlib.error, EOFError, OSError)
_PIECE = 1 << 20  # bytes read at a time


@contextmanager
def open_archive(path: Path) -> Iterator[tarfile.TarFile]:
    """The archive inside a `with`, in which reading it raises InvalidData, too, if it is damaged or cut short."""
    try:
        with tarfile.open(path) as stored:
            yield stored
    except _BROKEN as error:
        raise InvalidData(f"{path} cannot be read as a tar archive ({error}): copy it again") from error


def check_end(stored: tarfile.TarFile) -> None:
    """Read what follows the members, because only at its end does gzip compare its checksum over all of them."""
    while stored.fileobj is not None and stored.fileobj.read(_PIECE):
        pass


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder itself, or a temporary one with the content of a tar archive, named as the archive without its suffix.

    Raises InvalidData where the archive is damaged.
    """
    if path.is_dir() or not path.name.endswith(ARCHIVES):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="convserve-") as temporary:
        folder = Path(temporary) / path.name.removesuffix(".gz").removesuffix(".tgz").removesuffix(".tar")
        print(f"Unpacking {path.name} into a temporary folder")
        _unpack(path, folder)
        yield folder


def _unpack(path: Path, folder: Path) -> None:
    with open_archive(path) as archive:
        try:
            archive.extractall(folder, filter="data")  # which refuses names and links that lead out of the folder
        except tarfile.FilterError as error:
            raise InvalidData(f"{path} cannot be unpacked ({error}): pack the folder itself, without links") from error
        check_end(archive)
