"""The files of an original archive: in the archive, in the folder that it unpacks to, or in that one's parent."""

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from training.archives import check_end, open_archive
from training.errors import InvalidData

_DEPTH = 2  # cifar-100-python/train; what lies deeper belongs to class folders of images


def find_name(source: Path, wanted: Iterable[str]) -> str | None:
    """The first file of these names; stops at the first that lies deeper, as an archive of images can be long."""
    names = frozenset(wanted)
    for path in _folder_paths(source) if source.is_dir() else _archive_paths(source):
        if len(path.parts) > _DEPTH:
            return None
        if path.name in names:
            return path.name
    return None


def read_files(source: Path, wanted: Iterable[str]) -> dict[str, bytes]:
    """Contents by name; raises InvalidData where a file is missing or the archive is damaged."""
    names = frozenset(wanted)
    found = _read_folder(source, names) if source.is_dir() else _read_archive(source, names)
    if missing := sorted(names - found.keys()):
        raise InvalidData(f"{source} lacks {', '.join(missing)}: copy it again")
    return found


def _folder_paths(folder: Path) -> Iterator[PurePosixPath]:
    for pattern in ("*", "*/*"):
        for path in folder.glob(pattern):
            if path.is_file():
                yield PurePosixPath(path.relative_to(folder))


def _archive_paths(archive: Path) -> Iterator[PurePosixPath]:
    with open_archive(archive) as stored:
        for member in stored:
            if member.isfile():
                yield PurePosixPath(member.name)


def _read_folder(folder: Path, names: frozenset[str]) -> dict[str, bytes]:
    return {path.name: (folder / path).read_bytes() for path in _folder_paths(folder) if path.name in names}


def _read_archive(archive: Path, names: frozenset[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with open_archive(archive) as stored:
        for member in stored:
            path = PurePosixPath(member.name)
            content = stored.extractfile(member) if path.name in names and len(path.parts) <= _DEPTH else None
            if content is not None:
                found[path.name] = content.read()
        check_end(stored)
    return found
