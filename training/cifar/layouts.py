"""The four archives: their files in order, and how each data set's labels stand in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from training.cifar.batches import BatchFormat
from training.cifar.binary import BinaryFormat
from training.cifar.files import find_name
from training.cifar.pickled import PickledFormat
from training.datasets import CIFAR10, CIFAR100, CIFAR100_COARSE


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
