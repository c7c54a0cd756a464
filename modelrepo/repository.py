"""The model repository on disk: `<root>/<name>/<version>/`, NVIDIA Triton's layout."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")  # a folder's name, a segment of URLs and a label of metrics alike
NAME_RULE = "must be 1 to 64 of a-z, 0-9, - and _, the first a letter or digit"
VERSION = re.compile(r"[1-9][0-9]{0,14}")  # from 1 to LAST_VERSION, as Python writes the number
LAST_VERSION = 10**15 - 1  # a time as 20260101123000 fits, and every JSON reader takes such a number exactly

METADATA = "metadata.json"
MODEL = "model.onnx"
GOLDEN = "golden"


def is_name(text: str) -> bool:
    """Whether a model can have this name."""
    return MODEL_NAME.fullmatch(text) is not None


@dataclass(frozen=True)
class ModelRepository:
    """Which bundles a folder holds. Every call reads the disk."""

    root: Path

    def names(self) -> list[str]:
        """Models with at least one version, in alphabetical order; a missing root has none."""
        return [name for name in self.folders() if self.has_versions(name)]

    def folders(self) -> list[str]:
        """Folders that can be a model's, with versions or not, and links to nothing, in alphabetical order."""
        with _entries(self.root) as entries:
            return sorted(each.name for each in entries if MODEL_NAME.fullmatch(each.name) and _may_be_folder(each))

    def versions(self, name: str) -> list[int]:
        """The versions of a model in ascending order, none if it does not exist; raises OSError."""
        with self._versions(name) as versions:
            return sorted(versions)

    def has_versions(self, name: str) -> bool:
        """Whether a model has a version, however many; raises OSError."""
        with self._versions(name) as versions:
            return any(versions)

    @contextmanager
    def _versions(self, name: str) -> Iterator[Iterator[int]]:
        if not MODEL_NAME.fullmatch(name):
            yield iter(())
            return
        with _entries(self.root / name) as entries:
            yield (int(each.name) for each in entries if VERSION.fullmatch(each.name) and each.is_dir())

    def path(self, name: str, version: int) -> Path:
        """Where a bundle is or would be."""
        return self.root / name / str(version)

    def next_version(self, name: str) -> int:
        """The version that the next publication of a model gets."""
        return max(self.versions(name), default=0) + 1


def _may_be_folder(entry: "os.DirEntry[str]") -> bool:
    return entry.is_dir() or (entry.is_symlink() and not os.path.exists(entry.path))  # noqa: PTH110 - it is a text


@contextmanager
def _entries(folder: Path) -> Iterator[Iterator["os.DirEntry[str]"]]:
    """The entries of a folder, of which the system says what they are without a look at each; none if it is missing."""
    try:
        entries = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        yield iter(())
        return
    with entries:
        yield entries
