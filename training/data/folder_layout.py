"""The layout of a folder of images: its parts, its classes and their files, before any file is opened.

Two layouts: one folder a class, or `train/<class>/` beside `val/<class>/` (or `validation/`) and `test/<class>/`.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training.errors import InvalidData

_TRAIN, _VALIDATION, _TEST = ("train",), ("val", "validation"), ("test",)
_IGNORED = frozenset({"thumbs.db", "desktop.ini", "__macosx"})  # files of operating systems; .DS_Store is hidden


@dataclass(frozen=True)
class Part:
    """Class folders in their order and the files below each, sorted; `links` counts ignored links out of the part."""

    root: Path
    classes: tuple[str, ...]
    files: tuple[tuple[str, ...], ...]  # a tuple a class
    links: int

    @property
    def count(self) -> int:
        """How many files all classes have."""
        return sum(map(len, self.files))


@dataclass(frozen=True)
class Layout:
    """The parts of a folder. Where there is only `train`, the others are held out of it."""

    train: Part
    validation: Part | None
    test: Part | None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The existing ones."""
        return tuple(part for part in (self.train, self.validation, self.test) if part is not None)


def find_layout(folder: Path) -> Layout:
    """List a folder; raises InvalidData where it has no class folders, or a part has classes that `train` lacks."""
    root = _unwrap(_existing(folder))
    train = _list(_find(root, _TRAIN) or root)
    if len(train.classes) < 2:
        raise InvalidData(
            f"{folder} has {len(train.classes)} folders of images and needs two or more, one a class: "
            "FOLDER/<class>/<image>, or FOLDER/train/<class>/<image>"
        )
    if train.root == root:
        return Layout(train, None, None)
    validation, test = (_list_like(train, _find(root, names)) for names in (_VALIDATION, _TEST))
    return Layout(train, validation, test) if test else Layout(train, None, validation)


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise InvalidData(f"{folder} is not a folder: --data takes one with a folder of images for each class")
    return folder.resolve()


def _unwrap(root: Path) -> Path:
    """The folder inside, where it is alone and has folders: archives often have such a top folder."""
    inside = [Path(entry.path) for entry in _entries(root)]
    alone = len(inside) == 1 and inside[0].is_dir() and any(entry.is_dir() for entry in _entries(inside[0]))
    return _unwrap(inside[0]) if alone else root


def _find(root: Path, names: tuple[str, ...]) -> Path | None:
    """The part with one of these names, if it has class folders: ImageNet's `test/` has images without classes."""
    parts = (root / name for name in names)
    return next((part for part in parts if part.is_dir() and any(entry.is_dir() for entry in _entries(part))), None)


def _list_like(train: Part, root: Path | None) -> Part | None:
    """Another part, its files in the order of the training part's classes."""
    if root is None:
        return None
    part = _list(root)
    unknown = sorted(set(part.classes) - set(train.classes))
    if unknown:
        raise InvalidData(f"{root} has classes that {train.root.name} lacks: {', '.join(unknown[:5])}")
    files = dict(zip(part.classes, part.files, strict=True))
    return Part(root, train.classes, tuple(files.get(name, ()) for name in train.classes), part.links)


def _list(root: Path) -> Part:
    classes = sorted(entry.name for entry in _entries(root) if entry.is_dir(follow_symlinks=False))
    for name in classes:
        if not name.isprintable() or not _is_text(name):
            raise InvalidData(f"{root} has a folder {name!r}, whose name is not text in UTF-8: rename it")
    walked = [list(_walk(root / name)) for name in classes]
    inside = [tuple(sorted(path for path in paths if _is_inside(path, root))) for paths in walked]
    links = sum(map(len, walked)) - sum(map(len, inside))
    kept = [(name, files) for name, files in zip(classes, inside, strict=True) if files]
    return Part(root, tuple(name for name, _ in kept), tuple(files for _, files in kept), links)


def _walk(folder: Path) -> Iterator[str]:
    """All files below, at any depth; linked folders are not entered, because they may lead back up."""
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        elif entry.is_file():
            yield entry.path


def _is_inside(path: str, root: Path) -> bool:
    return not Path(path).is_symlink() or Path(path).resolve().is_relative_to(root)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".") and entry.name.lower() not in _IGNORED]


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)
