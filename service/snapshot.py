"""What the model repository holds at this moment, told by the names, sizes and times of files: no file is opened."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from modelrepo.policy import SERVING
from modelrepo.repository import ModelRepository

Fingerprint = tuple[tuple[str, int, int, int], ...]  # of every file: path, bytes, nanoseconds of its last change, inode


@dataclass(frozen=True)
class Snapshot:
    """The fingerprints of all bundles and of `serving.json`; two that are equal show the same files."""

    bundles: Mapping[tuple[str, int], Fingerprint]
    policy: Fingerprint = ()

    def names(self) -> list[str]:
        """The models, in alphabetical order."""
        return sorted({name for name, _ in self.bundles})

    def versions(self, name: str) -> list[int]:
        """The versions of a model, the newest first."""
        return sorted((version for model, version in self.bundles if model == name), reverse=True)


def take_snapshot(repository: ModelRepository) -> Snapshot:
    """Look at the repository; raises OSError where it cannot be looked at, which is not the same as empty."""
    os.scandir(repository.root).close()
    bundles = {
        (name, version): take_fingerprint(repository.path(name, version))
        for name in repository.names()
        for version in repository.versions(name)
    }
    policy = repository.root / SERVING
    return Snapshot(bundles, (_describe(policy, policy.stat()),) if policy.is_file() else ())


def take_fingerprint(folder: Path) -> Fingerprint:
    """Every file below a bundle's folder; what vanishes while it is looked at is left out, and so shows as a change."""
    found = []
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file():
                found.append(_describe(path, path.stat()))
        except FileNotFoundError:
            continue
    return tuple(found)


def _describe(path: Path, status: os.stat_result) -> tuple[str, int, int, int]:
    return (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
