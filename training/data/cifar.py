"""CIFAR's original archives in the `python` and the `binary` version: their files, batches and class names.

A source is an archive, the folder that it unpacks to, or that folder's parent.
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
PIXELS = CHANNELS * SIDE * SIDE  # 3,072 bytes an image: the red plane, the green one, the blue one, each row by row

_DEPTH = 2  # as in cifar-100-python/train; deeper files belong to class folders of images


@dataclass(frozen=True)
class CifarLayout:
    """The files of one archive. Data sets in it have the same images, and differ in their labels."""

    archive: str
    splits: Mapping[str, tuple[str, ...]]
    formats: "Mapping[str, BatchFormat]"  # by the data set's name


def find_cifar_layout(source: Path) -> CifarLayout | None:
    """The layout of a folder or an archive, by the names of its files; None where it has none of these."""
    name = find_name(source, _BY_FILE)
    return None if name is None else _BY_FILE[name]


def read_cifar(layout: CifarLayout, spec: DatasetSpec, source: Path, split: str) -> Split:
    """Read the `train` or the `test` split in the archive's order.

    Raises InvalidData where the archive is another data set's, is damaged, or names other classes than the spec.
    """
    if spec.name not in layout.formats:
        raise InvalidData(f"{source} holds {layout.archive}, which is good for {' and '.join(layout.formats)} only")
    form, files = layout.formats[spec.name], layout.splits[split]
    contents = _read_files(source, (*files, form.names_file))
    _check_names(spec, form.read_names(contents[form.names_file], f"{source}: {form.names_file}"), source)
    batches = [form.read_batch(contents[file], f"{source}: {file}") for file in files]
    images = np.concatenate([batch.images for batch in batches])
    return make_split(spec, images, np.concatenate([batch.labels for batch in batches]), str(source))


def find_name(source: Path, wanted: Iterable[str]) -> str | None:
    """The first file of these names, as long as none before it lies deeper: an archive of images can be long."""
    names = frozenset(wanted)
    for path in _folder_paths(source) if source.is_dir() else _archive_paths(source):
        if len(path.parts) > _DEPTH:
            return None
        if path.name in names:
            return path.name
    return None


@dataclass(frozen=True)
class Batch:
    """Images as uint8 [N, 3072] in the archive's order of bytes, with N labels that are not checked yet."""

    planes: NDArray[np.uint8]
    labels: NDArray[np.generic]

    @property
    def images(self) -> Images:
        """The same pixels as [N, height, width, channels]."""
        planes = self.planes.reshape(-1, CHANNELS, SIDE, SIDE)
        return np.ascontiguousarray(planes.transpose(0, 2, 3, 1))


class BatchFormat(Protocol):
    """How one version of an archive stores one kind of labels; `source` names the file in errors."""

    @property
    def names_file(self) -> str:
        """The file with the class names."""

    def read_names(self, content: bytes, source: str) -> tuple[str, ...]:
        """The class names in the order of the labels; raises InvalidData."""

    def read_batch(self, content: bytes, source: str) -> Batch:
        """The images of one file; raises InvalidData."""


@dataclass(frozen=True)
class BinaryFormat:
    """Records of `label_bytes` labels, of which the one at `position` is read, and 3,072 pixels."""

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
    """Pickled dictionaries: the key of the class names in one file, and of the labels beside `data` in the others."""

    names_file: str
    names_key: bytes
    labels_key: bytes

    def read_names(self, content: bytes, source: str) -> tuple[str, ...]:
        """The names in the order of the archive's list."""
        names = _unpickle(content, source, self.names_key)[self.names_key]
        if not isinstance(names, list) or not all(isinstance(name, bytes) for name in names):
            raise InvalidData(f"{source} has no list of names as {_text(self.names_key)}: copy the archive again")
        return tuple(name.decode("ascii", "replace") for name in names)

    def read_batch(self, content: bytes, source: str) -> Batch:
        """The array `data` with the list of labels."""
        stored = _unpickle(content, source, b"data", self.labels_key)
        planes, labels = stored[b"data"], stored[self.labels_key]
        if not isinstance(planes, np.ndarray) or planes.shape[1:] != (PIXELS,):
            raise InvalidData(f"{source} has no uint8 [N, {PIXELS}] as data: copy the archive again")
        if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 256 for label in labels):
            raise InvalidData(f"{source} has no list of labels as {_text(self.labels_key)}: copy the archive again")
        if len(labels) != len(planes):
            raise InvalidData(f"{source} has {len(planes):,} images and {len(labels):,} labels: copy the archive again")
        return Batch(planes, np.array(labels, np.uint8))


def _check_names(spec: DatasetSpec, names: tuple[str, ...], source: Path) -> None:
    """Raise InvalidData unless the archive's labels mean the same classes as the spec's."""
    if names != spec.class_names:
        raise InvalidData(f"{source} does not list the {len(spec.class_names)} classes of {spec.name} in their order")


def _read_files(source: Path, wanted: Iterable[str]) -> dict[str, bytes]:
    """Contents by name; raises InvalidData where a file is missing or the archive is damaged."""
    names = frozenset(wanted)
    contents = _read_folder(source, names) if source.is_dir() else _read_archive(source, names)
    if missing := sorted(names - contents.keys()):
        raise InvalidData(f"{source} lacks {', '.join(missing)}: copy it again")
    return contents


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
    contents: dict[str, bytes] = {}
    with open_archive(archive) as stored:
        for member in stored:
            path = PurePosixPath(member.name)
            content = stored.extractfile(member) if path.name in names and len(path.parts) <= _DEPTH else None
            if content is not None:
                contents[path.name] = content.read()
        check_end(stored)
    return contents


def _unpickle(content: bytes, source: str, *keys: bytes) -> dict[bytes, Any]:
    stored = unpickle(content, source)
    if missing := [_text(key) for key in keys if key not in stored]:
        raise InvalidData(f"{source} has no {' and no '.join(missing)}: copy the archive again")
    return stored


def _text(key: bytes) -> str:
    return key.decode("ascii")


def _five(pattern: str) -> tuple[str, ...]:
    """CIFAR-10's training images are in five files; Keras reads them in this order, too."""
    return tuple(pattern.format(number) for number in range(1, 6))


LAYOUTS = (
    CifarLayout(
        "cifar-10-python",
        {"train": _five("data_batch_{}"), "test": ("test_batch",)},
        {CIFAR10.name: PickledFormat("batches.meta", b"label_names", b"labels")},
    ),
    CifarLayout(
        "cifar-10-binary",
        {"train": _five("data_batch_{}.bin"), "test": ("test_batch.bin",)},
        {CIFAR10.name: BinaryFormat("batches.meta.txt", label_bytes=1, position=0)},
    ),
    CifarLayout(
        "cifar-100-python",
        {"train": ("train",), "test": ("test",)},
        {
            CIFAR100.name: PickledFormat("meta", b"fine_label_names", b"fine_labels"),
            CIFAR100_COARSE.name: PickledFormat("meta", b"coarse_label_names", b"coarse_labels"),
        },
    ),
    CifarLayout(
        "cifar-100-binary",
        {"train": ("train.bin",), "test": ("test.bin",)},
        {
            CIFAR100.name: BinaryFormat("fine_label_names.txt", label_bytes=2, position=1),
            CIFAR100_COARSE.name: BinaryFormat("coarse_label_names.txt", label_bytes=2, position=0),
        },
    ),
)
_BY_FILE = {name: layout for layout in LAYOUTS for names in layout.splits.values() for name in names}
