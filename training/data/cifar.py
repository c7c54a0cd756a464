"""CIFAR's original archives, the `python` and the `binary` version: their files, batches and names of classes.

An archive may be packed, or be the folder that it unpacks to, or that folder's parent.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from training.data.safe_pickle import unpickle
from training.data.specs import CIFAR10, CIFAR100, CIFAR100_COARSE, DatasetSpec
from training.data.splits import Images, Split, make_split
from training.data.tar import check_end, open_archive
from training.errors import InvalidData

CHANNELS, SIDE = 3, 32
PIXELS = CHANNELS * SIDE * SIDE  # 3,072 bytes an image: all red ones, all green ones, all blue ones, each row by row


@dataclass(frozen=True)
class Batch:
    """Images as uint8 [N, 3072] in the archive's order of bytes, with N labels that nobody has checked yet."""

    planes: NDArray[np.uint8]
    labels: NDArray[np.generic]

    @property
    def images(self) -> Images:
        """The same pixels as [N, height, width, channels]."""
        planes = self.planes.reshape(-1, CHANNELS, SIDE, SIDE)
        return np.ascontiguousarray(planes.transpose(0, 2, 3, 1))


class BatchFormat(Protocol):
    """How one version of an archive writes one kind of labels. `source` names the file in what is raised."""

    @property
    def names_file(self) -> str:
        """The file that lists the names of the classes."""

    def read_names(self, content: bytes, source: str) -> tuple[str, ...]:
        """The names in the order of the labels; raises InvalidData."""

    def read_batch(self, content: bytes, source: str) -> Batch:
        """The images of one file; raises InvalidData."""


@dataclass(frozen=True)
class BinaryFormat:
    """Records of so many label bytes, of which one counts here, and 3,072 pixels."""

    names_file: str
    label_bytes: int
    position: int

    def read_names(self, content: bytes, source: str) -> tuple[str, ...]:
        """A name a line; CIFAR-10's list ends with an empty one."""
        try:
            return tuple(content.decode("ascii").split())
        except UnicodeDecodeError as error:
            raise InvalidData(f"{source} is not a list of names ({error}): copy the archive again") from error

    def read_batch(self, content: bytes, source: str) -> Batch:
        """Cut the file into records."""
        size = self.label_bytes + PIXELS
        if len(content) % size:
            raise InvalidData(
                f"{source} has {len(content):,} bytes, which is no multiple of the {size:,} of an image: "
                "copy the archive again"
            )
        records = np.frombuffer(content, np.uint8).reshape(-1, size)
        return Batch(records[:, self.label_bytes :], records[:, self.position])


@dataclass(frozen=True)
class PickledFormat:
    """The keys of one kind of labels: of their names in one file, of the labels beside `data` in the others."""

    names_file: str
    names_key: bytes
    labels_key: bytes

    def read_names(self, content: bytes, source: str) -> tuple[str, ...]:
        """The names as the archive's list has them."""
        names = _read(content, source, self.names_key)[self.names_key]
        if not isinstance(names, list) or not all(isinstance(name, bytes) for name in names):
            raise InvalidData(f"{source} has no list of names as {_show(self.names_key)}: copy the archive again")
        return tuple(name.decode("ascii", "replace") for name in names)

    def read_batch(self, content: bytes, source: str) -> Batch:
        """The array `data` with the list of labels."""
        stored = _read(content, source, b"data", self.labels_key)
        planes, labels = stored[b"data"], stored[self.labels_key]
        if not isinstance(planes, np.ndarray) or planes.shape[1:] != (PIXELS,):
            raise InvalidData(f"{source} has no uint8 [N, {PIXELS}] as data: copy the archive again")
        if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 256 for label in labels):
            raise InvalidData(f"{source} has no list of labels as {_show(self.labels_key)}: copy the archive again")
        if len(labels) != len(planes):
            raise InvalidData(f"{source} has {len(planes):,} images and {len(labels):,} labels: copy the archive again")
        return Batch(planes, np.array(labels, np.uint8))


def _read(content: bytes, source: str, *keys: bytes) -> dict[bytes, Any]:
    stored = unpickle(content, source)
    if missing := [_show(key) for key in keys if key not in stored]:
        raise InvalidData(f"{source} has no {' and no '.join(missing)}: copy the archive again")
    return stored


def _show(key: bytes) -> str:
    return key.decode("ascii")


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


@dataclass(frozen=True)
class Layout:
    """One archive. Its images are the same for every data set in it; only which labels count differs."""

    archive: str
    splits: Mapping[str, tuple[str, ...]]
    formats: Mapping[str, BatchFormat]  # by the data set's name


def find_layout(source: Path) -> Layout | None:
    """The layout of a folder or an archive, told by the names inside; None where it holds none of these files."""
    name = find_name(source, _BY_FILE)
    return None if name is None else _BY_FILE[name]


def _five(pattern: str) -> tuple[str, ...]:
    """CIFAR-10's training images lie in five files; Keras takes them in this order, too."""
    return tuple(pattern.format(number) for number in range(1, 6))


LAYOUTS = (
    Layout(
        "cifar-10-python",
        {"train": _five("data_batch_{}"), "test": ("test_batch",)},
        {CIFAR10.name: PickledFormat("batches.meta", b"label_names", b"labels")},
    ),
    Layout(
        "cifar-10-binary",
        {"train": _five("data_batch_{}.bin"), "test": ("test_batch.bin",)},
        {CIFAR10.name: BinaryFormat("batches.meta.txt", label_bytes=1, position=0)},
    ),
    Layout(
        "cifar-100-python",
        {"train": ("train",), "test": ("test",)},
        {
            CIFAR100.name: PickledFormat("meta", b"fine_label_names", b"fine_labels"),
            CIFAR100_COARSE.name: PickledFormat("meta", b"coarse_label_names", b"coarse_labels"),
        },
    ),
    Layout(
        "cifar-100-binary",
        {"train": ("train.bin",), "test": ("test.bin",)},
        {
            CIFAR100.name: BinaryFormat("fine_label_names.txt", label_bytes=2, position=1),
            CIFAR100_COARSE.name: BinaryFormat("coarse_label_names.txt", label_bytes=2, position=0),
        },
    ),
)
_BY_FILE = {name: layout for layout in LAYOUTS for names in layout.splits.values() for name in names}


def read_original(layout: Layout, spec: DatasetSpec, source: Path, split: str) -> Split:
    """Read the `train` or the `test` split in the archive's order.

    Raises InvalidData where the archive is another data set's, is damaged, or names other classes than the spec.
    """
    if spec.name not in layout.formats:
        raise InvalidData(f"{source} holds {layout.archive}, which is good for {' and '.join(layout.formats)} only")
    kind, names = layout.formats[spec.name], layout.splits[split]
    contents = read_files(source, (*names, kind.names_file))
    _check_names(spec, kind.read_names(contents[kind.names_file], f"{source}: {kind.names_file}"), source)
    batches = [kind.read_batch(contents[name], f"{source}: {name}") for name in names]
    images = np.concatenate([batch.images for batch in batches])
    return make_split(spec, images, np.concatenate([batch.labels for batch in batches]), str(source))


def _check_names(spec: DatasetSpec, names: tuple[str, ...], source: Path) -> None:
    """What says that label 7 means the same here as in the archive."""
    if names != spec.class_names:
        raise InvalidData(f"{source} does not list the {len(spec.class_names)} classes of {spec.name} in their order")
