"""A snapshot of the model repository: which bundles it holds, and a fingerprint of the files of each.

Fingerprints are made of names, sizes, times and inodes; no file is opened.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from modelrepo.repository import ModelRepository

File = tuple[str, int, int, int]  # path, bytes, nanoseconds of the last change (ctime: of permissions, too), inode
Fingerprint = tuple[File, ...]


@dataclass(frozen=True)
class Snapshot:
    """The fingerprints of all bundles, by model and version; two that are equal are of the same files.

    `unreadable` are the models whose folders cannot be listed, and why.
    """

    bundles: Mapping[tuple[str, int], Fingerprint]
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def models(self) -> Mapping[str, list[int]]:
        """The models in alphabetical order, each with its versions, the newest first."""
        models: dict[str, list[int]] = {}
        for name, version in sorted(self.bundles):
            models.setdefault(name, []).insert(0, version)
        return models


def take_snapshot(repository: ModelRepository) -> Snapshot:
    """Read the repository's folders; raises OSError where that fails, which is not the same as an empty repository."""
    folder = _identity(repository.root)
    bundles: dict[tuple[str, int], Fingerprint] = {}
    unreadable: dict[str, str] = {}
    for name in repository.folders():
        try:
            paths = repository.paths(name)
        except OSError as error:
            unreadable[name] = f"cannot be read: {error}"
        else:
            bundles |= {(name, version): take_fingerprint(path) for version, path in paths.items()}
    if _identity(repository.root) != folder:
        raise FileNotFoundError(f"another folder took the place of {repository.root}")
    return Snapshot(bundles, unreadable)


def take_fingerprint(folder: Path) -> Fingerprint:
    """Every file below a bundle's folder. A file that cannot be examined is an error later, when it is loaded."""
    return tuple(sorted(_files(str(folder))))


def _identity(folder: Path) -> tuple[int, int]:
    """Which folder it is, whatever its name; raises OSError where it cannot be listed."""
    os.scandir(folder).close()
    status = folder.stat()
    return status.st_dev, status.st_ino


def _files(folder: str) -> Iterator[File]:
    folders = [folder]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                yield _describe(entry.path)


def _describe(path: str) -> File:
    try:
        status = Path(path).stat()
    except OSError:
        return (path, 0, 0, 0)
    return (path, status.st_size, status.st_ctime_ns, status.st_ino)
