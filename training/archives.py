"""Tar archives of data sets, packed or not, with one sentence for whatever is broken in them."""

import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import InvalidData

# zlib's own error comes through where the damage lies inside a member.
_BROKEN = (tarfile.TarError, zlib.error, EOFError, OSError)
_PIECE = 1 << 20  # bytes read at a time


@contextmanager
def open_archive(path: Path) -> Iterator[tarfile.TarFile]:
    """The archive inside a `with`, where reading it, too, raises InvalidData if it is damaged or cut short."""
    try:
        with tarfile.open(path) as stored:
            yield stored
    except _BROKEN as error:
        raise InvalidData(f"{path} cannot be read as a tar archive ({error}): copy it again") from error


def check_end(stored: tarfile.TarFile) -> None:
    """Read what follows the members, because only at its end does gzip compare its checksum over all of them."""
    while stored.fileobj is not None and stored.fileobj.read(_PIECE):
        pass
