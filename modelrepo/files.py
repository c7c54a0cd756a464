"""Reading files of a repository: regular files inside their folder alone, and no more bytes than allowed.

A pipe without a writer would be waited for without end, a device has no end, and a link can lead anywhere.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from modelrepo.errors import CorruptBundle

_CHUNK = 1 << 20  # bytes
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


def read_file(folder: Path, name: str, limit: int) -> bytes:
    """The content of the file `name` in a folder or below it, which has at most `limit` bytes.

    Raises FileNotFoundError where there is none, CorruptBundle where it is no regular file in the folder, may not be
    read or is larger, and OSError where the disk fails.
    """
    with _opened(folder, name) as descriptor:
        size = os.fstat(descriptor).st_size
        if size > limit:
            raise CorruptBundle(f"{name} has {size:,} bytes, more than the {limit:,} that are read")
        content = b"".join(_chunks(descriptor, limit + 1))
    if len(content) > limit:
        raise CorruptBundle(f"{name} has more than the {limit:,} bytes that are read")
    return content


def read_files(folder: Path, names: Iterable[str], limit: int) -> list[bytes]:
    """The contents of such files, at most `limit` bytes together; raises CorruptBundle for a missing one, too."""
    contents = []
    for name in names:
        try:
            contents.append(read_file(folder, name, limit))
        except FileNotFoundError as error:
            raise CorruptBundle(f"{name} is missing") from error
        limit -= len(contents[-1])
    return contents


def hash_file(folder: Path, name: str, size: int) -> str:
    """The SHA-256 of such a file in hexadecimal; raises what `read_file` does, CorruptBundle for any other size."""
    digest = hashlib.sha256()
    with _opened(folder, name) as descriptor:
        actual = os.fstat(descriptor).st_size
        if actual != size:
            raise CorruptBundle(f"{name} has {actual} bytes where the metadata says {size}: copy it again")
        for chunk in _chunks(descriptor, size):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _opened(folder: Path, name: str) -> Iterator[int]:
    """A descriptor of the file. Links are followed as long as they stay in the folder."""
    descriptor = _open(folder, name)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise CorruptBundle(f"{name} is {_KINDS.get(stat.S_IFMT(mode), 'a device')}, not a file")
        yield descriptor
    finally:
        os.close(descriptor)


def _open(folder: Path, name: str) -> int:
    try:
        root, path = (os.path.realpath(each, strict=True) for each in (folder, folder / name))
        if os.path.commonpath([root, path]) != root:
            raise CorruptBundle(f"{name} is a link out of its folder: copy the file itself")
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except ValueError as error:  # a name that no file can have
        raise CorruptBundle(f"{name!r} is no name of a file") from error
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG):
            raise CorruptBundle(f"{name} cannot be read: {os.strerror(error.errno)}") from error
        if isinstance(error, NotADirectoryError):  # a part of the path is a file
            raise FileNotFoundError(error.errno, error.strerror, str(folder / name)) from error
        raise


def _chunks(descriptor: int, limit: int) -> Iterator[bytes]:
    """The content, at most so many bytes of it, however much it grows meanwhile."""
    left = limit
    while left > 0 and (chunk := os.read(descriptor, min(left, _CHUNK))):
        left -= len(chunk)
        yield chunk
