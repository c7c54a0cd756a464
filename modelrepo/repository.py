"""The model repository on disk: `<root>/<name>/<version>/`, NVIDIA Triton's layout."""

import re
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
        return [name for name in self.folders() if self.versions(name)]

    def folders(self) -> list[str]:
        """Folders that can be a model's, with versions or not, in alphabetical order."""
        if not self.root.is_dir():
            return []
        return sorted(each.name for each in self.root.iterdir() if MODEL_NAME.fullmatch(each.name) and each.is_dir())

    def versions(self, name: str) -> list[int]:
        """The versions of a model in ascending order; none if it does not exist."""
        return list(self.paths(name))

    def paths(self, name: str) -> dict[int, Path]:
        """The bundles of a model by version, in ascending order; none if it does not exist."""
        folder = self.root / name
        if not MODEL_NAME.fullmatch(name) or not folder.is_dir():
            return {}
        folders = (each for each in folder.iterdir() if VERSION.fullmatch(each.name) and each.is_dir())
        return dict(sorted((int(each.name), each) for each in folders))

    def path(self, name: str, version: int) -> Path:
        """Where a bundle is or would be."""
        return self.root / name / str(version)

    def next_version(self, name: str) -> int:
        """The version that the next publication of a model gets."""
        return max(self.versions(name), default=0) + 1
