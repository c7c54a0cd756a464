"""A folder of images with a folder for each class, as a data set with a training, a validation and a test split.

Where the folder has no test part, a fifth of each class is held out, drawn by a seed. The validation images are held
out of the rest, so the test split is used only once, at the end.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import Preprocessing
from training.data.class_names import read_class_names
from training.data.folder_layout import Layout, Part, find_layout
from training.data.lazy_images import Decoder
from training.data.scan import HELD_BYTES, Unreadable, scan_files
from training.data.specs import DatasetSpec
from training.data.splits import Dataset, Split, take
from training.errors import InvalidData

TEST_SHARE = 0.2  # the usual choice; of 20 images a class, 4 are held out
OWN, HELD_OUT, SAME = "a part of its own", "held out", "the training images"  # what the test split is


@dataclass(frozen=True)
class Folder:
    """What is read and how. The spec gives the size; its name and class names are replaced by the folder's."""

    path: Path
    spec: DatasetSpec
    contract: Preprocessing
    seed: int = 1  # selects what is held out
    share: float = TEST_SHARE
    class_names: Path | None = None  # a file with the classes' names
    hold: int = HELD_BYTES  # up to so many bytes of pixels are kept in memory

    @property
    def decode(self) -> Decoder:
        """The decoder of the folder's files."""
        return Decoder(self.spec.input, self.contract)


@dataclass(frozen=True)
class LoadedPart:
    """The images of a part, and its files that are no images."""

    split: Split
    unreadable: tuple[Unreadable, ...]
    ignored: int


@dataclass(frozen=True)
class FolderDataset:
    """A folder's data set, and its files with an image's suffix that cannot be decoded."""

    dataset: Dataset
    unreadable: tuple[Unreadable, ...]


def read_folder(folder: Folder) -> FolderDataset:
    """Scan all images and split them; raises InvalidData where a class has none, or there is only one class."""
    layout = find_layout(folder.path)
    folder = replace(folder, spec=_name_classes(folder, layout.train.classes))
    pixels = sum(part.count for part in layout.parts) * math.prod(folder.spec.shape)
    hold = folder.hold if pixels <= folder.hold else 0  # all parts or none
    loaded = {part.root: _load(part, folder.decode, hold) for part in layout.parts}
    _check_classes(layout.train, loaded[layout.train.root])
    _check_parts(loaded)
    own_test = None if layout.test is None else loaded[layout.test.root].split
    train, test, kind = _split(loaded[layout.train.root].split, own_test, folder)
    validation = None if layout.validation is None else loaded[layout.validation.root].split
    origin = {"folder": _describe(folder, layout, kind, list(loaded.values()))}
    dataset = Dataset(folder.spec, train, test, validation, origin)
    return FolderDataset(dataset, tuple(file for part in loaded.values() for file in part.unreadable))


def read_test(folder: Folder, classes: tuple[str, ...]) -> Split:
    """The test split alone, as `read_folder` makes it; raises InvalidData where the folder has other classes."""
    layout = find_layout(folder.path)
    if layout.train.classes != classes:
        raise InvalidData(f"{folder.path} has not the class folders that the model was trained on")
    if layout.test is not None:
        return _load(layout.test, folder.decode, folder.hold).split
    _, test, _ = _split(_load(layout.train, folder.decode, folder.hold).split, None, folder)
    return test


def hold_out_each(split: Split, share: float, seed: int) -> tuple[Split, Split]:
    """Divide a split class by class into what stays and what is held out: at least one image each, of two or more.

    What is held out of a class depends on the seed, the class's number and its images alone.
    """
    kept, held_out = [], []
    for index in np.unique(split.labels):
        order = np.random.default_rng((seed, int(index))).permutation(np.flatnonzero(split.labels == index))
        count = min(len(order) - 1, max(1, round(len(order) * share)))
        kept.append(order[count:])
        held_out.append(order[:count])
    return take(split, _in_order(kept)), take(split, _in_order(held_out))


def _name_classes(folder: Folder, classes: tuple[str, ...]) -> DatasetSpec:
    """The spec with the folder's name, and the names of its classes or those of the file for them."""
    path = folder.class_names
    names = classes if path is None else read_class_names(path, len(classes), classes)
    return replace(folder.spec, name=folder.path.resolve().name, class_names=names)


def _load(part: Part, decode: Decoder, hold: int) -> LoadedPart:
    scanned = scan_files([path for paths in part.files for path in paths], decode, hold)
    labels = np.repeat(np.arange(len(part.classes)), [len(paths) for paths in part.files])
    return LoadedPart(Split(scanned.images, labels[scanned.positions]), scanned.unreadable, scanned.ignored)


def _check_classes(part: Part, loaded: LoadedPart) -> None:
    counts = np.bincount(loaded.split.labels, minlength=len(part.classes))
    empty = [name for name, count in zip(part.classes, counts, strict=True) if not count]
    if empty:
        first = f" ({Path(loaded.unreadable[0].path).name}: {loaded.unreadable[0].reason})" if loaded.unreadable else ""
        raise InvalidData(
            f"{len(empty)} of the {len(counts)} class folders in {part.root} have no image that can be read: "
            f"{', '.join(empty[:5])}{first}; add images or remove the folders"
        )


def _check_parts(loaded: dict[Path, LoadedPart]) -> None:
    empty = [root for root, part in loaded.items() if not len(part.split)]
    if empty:
        raise InvalidData(f"{empty[0]} has no image that can be read: add some, or remove the folder")


def _split(images: Split, own_test: Split | None, folder: Folder) -> tuple[Split, Split, str]:
    """The training split, the test split, and what the latter is: OWN, HELD_OUT or SAME."""
    if own_test is not None:
        return images, own_test, OWN
    train, test = hold_out_each(images, folder.share, folder.seed)
    return (train, test, HELD_OUT) if len(test) else (images, images, SAME)


def _describe(folder: Folder, layout: Layout, kind: str, loaded: list[LoadedPart]) -> dict[str, Any]:
    return {
        "classes": list(layout.train.classes),
        "test": kind,
        **({"share": folder.share, "seed": folder.seed} if kind == HELD_OUT else {}),
        "digest": "SHA-256 over the SHA-256 of each file and the labels",
        "unreadable": sum(len(part.unreadable) for part in loaded),
        "ignored": sum(part.ignored for part in loaded),
        "links_outside": sum(part.links for part in layout.parts),
    }


def _in_order(chosen: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.sort(np.concatenate(chosen))
