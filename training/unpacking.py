"""Archives of folders of pictures, unpacked for as long as they are needed."""

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.archives import check_end, open_archive
from training.errors import InvalidData

ARCHIVES = (".tar.gz", ".tgz", ".tar")


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder itself, or a temporary one with what a tar archive holds; raises InvalidData where it is damaged.

    The folder is called as the archive is, without its suffix.
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
