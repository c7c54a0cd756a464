"""A snapshot of the model repository: which versions it holds, and a fingerprint of the files of those asked for.

Fingerprints are made of names, sizes, times and inodes; no file is opened. A repository can hold thousands of old
versions, of which only the names are read.
"""

import os
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from modelrepo.repository import ModelRepository
from service.errors import public_text

Key = tuple[str, int]  # a model's name and a version's number
File = tuple[str, int, int, int]  # path, bytes, nanoseconds of the last change (ctime: of permissions, too), inode
Fingerprint = tuple[File, ...]
FolderId = tuple[int, int]  # device and inode

T = TypeVar("T")

NO_FOLDER: FolderId = (0, 0)
VANISHED = "it is empty, and it held models before: was it unmounted?"
EMPTIED = "is another folder now, without any version: was it unmounted?"


class Fingerprints(Mapping[Key, Fingerprint]):
    """The fingerprint of each bundle of a repository, taken when it is first asked for."""

    def __init__(
        self,
        repository: ModelRepository,
        models: Mapping[str, Sequence[int]],
        taken: Mapping[Key, Fingerprint] | None = None,
    ) -> None:
        """`taken` are those that are known already."""
        self._repository = repository
        self._models = models
        self.taken = dict(taken or {})
        self.seconds = 0.0  # of CPU time that was spent on them

    def __getitem__(self, key: Key) -> Fingerprint:
        if key not in self.taken:
            started = time.thread_time()
            name, version = key
            self.taken[key] = take_fingerprint(self._repository.root / name / str(version))
            self.seconds += time.thread_time() - started
        return self.taken[key]

    def __iter__(self) -> Iterator[Key]:
        return ((name, version) for name, versions in self._models.items() for version in versions)

    def __len__(self) -> int:
        return sum(map(len, self._models.values()))


@dataclass(frozen=True)
class Snapshot:
    """What a repository holds; two that are equal are of the same files.

    `models` are in alphabetical order, each with its versions, the newest first. `unreadable` are the models whose
    folders cannot be listed, and why. `root` is which folder it is, whatever its name; `is_bare` is whether that folder
    holds nothing at all, as one that something was unmounted from. `folders` are those of the models.
    """

    models: Mapping[str, Sequence[int]]
    bundles: Fingerprints
    unreadable: Mapping[str, str] = field(default_factory=dict)
    root: FolderId = NO_FOLDER
    is_bare: bool = True
    folders: Mapping[str, FolderId] = field(default_factory=dict)

    def is_unchanged(self, before: "Snapshot") -> bool:
        """Whether it has the same versions, and the same files of all those whose files were asked for."""
        same = (self.models, self.unreadable) == (before.models, before.unreadable)
        return same and all(self.bundles[key] == files for key, files in before.bundles.taken.items())


class Unsettled(Container[Key]):
    """The bundles that may still be written: their files are not what they were at the snapshot before."""

    def __init__(self, before: Fingerprints, now: Fingerprints, requested: Container[str]) -> None:
        """Those of the models that are `requested` are to be loaded as they are."""
        self._before = before.taken
        self._now = now
        self._requested = requested

    def __contains__(self, key: object) -> bool:
        name, version = cast("Key", key)
        return name not in self._requested and self._before.get((name, version)) != self._now[(name, version)]


class RepositoryVanished(OSError):
    """Everything is gone at once, as where a file system was unmounted: that is no removal."""


class FollowedRepository:
    """The repository as it was when it was last read, without what has vanished since.

    A folder that takes the place of the repository, as by a rename or a symbolic link that is switched, is followed
    when it is seen twice and holds models.
    """

    def __init__(self, repository: ModelRepository) -> None:
        self._repository = repository
        self._candidate = NO_FOLDER
        self.snapshot = Snapshot({}, Fingerprints(repository, {}))
        self.unreadable: Mapping[str, str] = {}

    def read(self, names: Container[str] | None, held: Container[str]) -> bool:
        """Read the folders of these models, or of all; returns False where the folder is one to be seen once more.

        `held` are models that were there before this worker was. Raises OSError where the repository cannot be read or
        has vanished: the snapshot is then what it was.
        """
        before, now = self.snapshot, take_snapshot(self._repository, names)
        is_replaced = before.root not in (NO_FOLDER, now.root)
        is_empty = not now.models and not now.unreadable and (now.is_bare or (is_replaced and names is None))
        if is_empty and (before.models or held):
            raise RepositoryVanished(VANISHED)
        if is_replaced and names is None and now.root != self._candidate:
            self._candidate = now.root
            return False
        self._merge(now, names)
        return True

    def _merge(self, now: Snapshot, names: Container[str] | None) -> None:
        """Take over the models of these names, or all of them; those that cannot be read stay as they were."""
        before = self.snapshot
        emptied = [name for name, folder in now.folders.items() if name not in now.models and name in before.models]
        unmounted = [name for name in emptied if now.folders[name] != before.folders.get(name)]
        unreadable = {
            **now.unreadable,
            **dict.fromkeys(unmounted, EMPTIED),
        }

        def is_read(name: str) -> bool:
            return name not in unreadable and (names is None or name in names)

        def merge(old: Mapping[str, T], new: Mapping[str, T]) -> dict[str, T]:
            kept = {name: value for name, value in old.items() if not is_read(name)}
            return dict(sorted({**kept, **{name: value for name, value in new.items() if is_read(name)}}.items()))

        models = merge(before.models, now.models)
        taken = {key: files for key, files in before.bundles.taken.items() if not is_read(key[0])}
        bundles = Fingerprints(self._repository, models, taken)
        root = now.root if names is None or before.root == NO_FOLDER else before.root
        self.snapshot = Snapshot(models, bundles, unreadable, root, now.is_bare, merge(before.folders, now.folders))
        others = {name: reason for name, reason in self.unreadable.items() if names is not None and name not in names}
        self.unreadable = {**others, **unreadable}


def take_snapshot(repository: ModelRepository, names: Container[str] | None = None) -> Snapshot:
    """Read the repository's folders, those of the models of these names or of all.

    Raises OSError where that fails, which is not the same as an empty repository.
    """
    root, is_bare = _identify(repository.root)
    models: dict[str, list[int]] = {}
    folders: dict[str, FolderId] = {}
    unreadable: dict[str, str] = {}
    for name in repository.folders():
        if names is not None and name not in names:
            continue
        try:
            versions = repository.versions(name)
            folders[name] = _folder_id(repository.root / name)
        except OSError as error:
            if (repository.root / name).is_symlink() or not isinstance(error, FileNotFoundError):  # else it was removed
                unreadable[name] = f"cannot be read: {public_text(error)}"
        else:
            if versions:
                models[name] = versions[::-1]
    if _folder_id(repository.root) != root:
        raise FileNotFoundError(f"another folder took the place of {repository.root}")
    return Snapshot(models, Fingerprints(repository, models), unreadable, root, is_bare, folders)


def take_fingerprint(folder: Path) -> Fingerprint:
    """Every file below a bundle's folder. A file that cannot be examined is an error later, when it is loaded."""
    return tuple(sorted(_files(str(folder))))


def _identify(root: Path) -> tuple[FolderId, bool]:
    """Which folder it is, and whether nothing is in it but hidden files; raises OSError where it cannot be listed."""
    with os.scandir(root) as entries:
        is_bare = all(entry.name.startswith(".") or entry.name == "lost+found" for entry in entries)
    return _folder_id(root), is_bare


def _folder_id(folder: Path) -> FolderId:
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
        status = os.stat(path)  # noqa: PTH116 - a Path costs more than the look
    except OSError:
        return (path, 0, 0, 0)
    return (path, status.st_size, status.st_ctime_ns, status.st_ino)
