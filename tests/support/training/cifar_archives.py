"""Small archives in the published form of CIFAR: the same folders, files, keys and bytes, with few images of noise.

Published: https://www.cs.toronto.edu/~kriz/cifar.html; the pickles are Python 2's, protocol 2, with NumPy 1's names.
"""

import io
import pickle
import struct
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from training.data.specs import CIFAR10, COARSE, FINE

PIXELS = 3072
Files = dict[str, bytes]


@dataclass(frozen=True)
class CifarImages:
    """Images as [N, 3072], the red bytes of an image first, with labels in random order."""

    planes: NDArray[np.uint8]
    fine: list[int]
    coarse: list[int]

    @property
    def images(self) -> NDArray[np.uint8]:
        """[N, 32, 32, 3], put together pixel by pixel's channels."""
        return np.stack(
            [self.planes[:, start : start + 1024].reshape(-1, 32, 32) for start in (0, 1024, 2048)], axis=-1
        )


def draw_images(count: int, classes: int, seed: int) -> CifarImages:
    """Noise that repeats by the seed. A superclass is a fifth of its classes here, which the real ones are not."""
    random = np.random.default_rng(seed)
    fine = random.permutation(np.arange(count) % classes).tolist()
    return CifarImages(random.integers(0, 256, (count, PIXELS), np.uint8), fine, [label // 5 for label in fine])


def cifar10_python(train: CifarImages, test: CifarImages) -> Files:
    """data_batch_1 to 5, test_batch and batches.meta."""
    meta = {b"num_cases_per_batch": 10000, b"label_names": _names(CIFAR10.class_names), b"num_vis": PIXELS}
    batches = {
        f"data_batch_{number}": _pickle_batch(part, f"training batch {number} of 5")
        for number, part in enumerate(_split_in_five(train), start=1)
    }
    return {
        "cifar-10-batches-py/data_batch_4": batches["data_batch_4"],  # the archive is not in their order
        "cifar-10-batches-py/readme.html": b"<meta http-equiv='REFRESH'>",
        "cifar-10-batches-py/test_batch": _pickle_batch(test, "testing batch 1 of 1"),
        "cifar-10-batches-py/batches.meta": pickle_python2(meta),
        **{f"cifar-10-batches-py/{name}": content for name, content in batches.items()},
    }


def cifar10_binary(train: CifarImages, test: CifarImages) -> Files:
    """data_batch_1.bin to 5, test_batch.bin and batches.meta.txt, each record one label and the pixels."""
    return {
        "cifar-10-batches-bin/test_batch.bin": _records(test, test.fine),
        "cifar-10-batches-bin/readme.html": b"<meta http-equiv='REFRESH'>",
        **{
            f"cifar-10-batches-bin/data_batch_{number}.bin": _records(part, part.fine)
            for number, part in enumerate(_split_in_five(train), start=1)
        },
        "cifar-10-batches-bin/batches.meta.txt": "\n".join([*CIFAR10.class_names, "", ""]).encode(),
    }


def cifar100_python(train: CifarImages, test: CifarImages) -> Files:
    """file.txt~, train, test and meta."""
    meta = {b"fine_label_names": _names(FINE), b"coarse_label_names": _names(COARSE)}
    return {
        "cifar-100-python/file.txt~": b"",
        "cifar-100-python/train": _pickle_batch100(train, "training batch 1 of 1"),
        "cifar-100-python/test": _pickle_batch100(test, "testing batch 1 of 1"),
        "cifar-100-python/meta": pickle_python2(meta),
    }


def cifar100_binary(train: CifarImages, test: CifarImages) -> Files:
    """train.bin, test.bin and the two lists of names, each record a coarse label, a fine one and the pixels."""
    return {
        "cifar-100-binary/fine_label_names.txt": "\n".join([*FINE, ""]).encode(),
        "cifar-100-binary/coarse_label_names.txt": "\n".join([*COARSE, ""]).encode(),
        "cifar-100-binary/test.bin": _records(test, test.coarse, test.fine),
        "cifar-100-binary/train.bin": _records(train, train.coarse, train.fine),
    }


MAKERS: Mapping[str, Callable[[CifarImages, CifarImages], Files]] = {
    "cifar-10-python": cifar10_python,
    "cifar-10-binary": cifar10_binary,
    "cifar-100-python": cifar100_python,
    "cifar-100-binary": cifar100_binary,
}


def pack(files: Files, path: Path) -> Path:
    """A `.tar.gz` with an entry for each folder, too, as the published ones have."""
    with tarfile.open(path, "w:gz") as stored:
        for folder in dict.fromkeys(name.partition("/")[0] for name in files):
            entry = tarfile.TarInfo(folder)
            entry.type = tarfile.DIRTYPE
            stored.addfile(entry)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            stored.addfile(entry, io.BytesIO(content))
    return path


def unpack(files: Files, folder: Path) -> Path:
    """The same files below a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def pickle_python2(value: object) -> bytes:
    """What Python 2 with NumPy 1 wrote in protocol 2; its strings are bytes here."""
    buffer = io.BytesIO()
    _Python2Pickler(buffer, protocol=2).dump(value)
    return buffer.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


class _Python2Pickler(pickle._Pickler):
    """Writes text and bytes alike as Python 2's `str`."""

    def _save_string(self, value: str | bytes) -> None:
        content = value.encode("latin1") if isinstance(value, str) else value
        length = struct.pack("<B", len(content)) if len(content) < 256 else struct.pack("<i", len(content))
        opcode = pickle.SHORT_BINSTRING if len(content) < 256 else pickle.BINSTRING
        self.write(opcode + length + content)  # type: ignore[attr-defined]
        self.memoize(value)  # type: ignore[attr-defined]

    dispatch: ClassVar[dict[type, Callable[..., Any]]] = {
        **pickle._Pickler.dispatch,
        str: _save_string,
        bytes: _save_string,
    }


def _pickle_batch(pictures: CifarImages, title: str) -> bytes:
    return pickle_python2(
        {
            b"batch_label": title.encode(),
            b"labels": pictures.fine,
            b"data": pictures.planes,
            b"filenames": [b"picture_s_%06d.png" % number for number in range(len(pictures.fine))],
        }
    )


def _pickle_batch100(pictures: CifarImages, title: str) -> bytes:
    return pickle_python2(
        {
            b"filenames": [b"picture_s_%06d.png" % number for number in range(len(pictures.fine))],
            b"batch_label": title.encode(),
            b"fine_labels": pictures.fine,
            b"coarse_labels": pictures.coarse,
            b"data": pictures.planes,
        }
    )


def _names(labels: tuple[str, ...]) -> list[bytes]:
    return [label.encode() for label in labels]


def _split_in_five(pictures: CifarImages) -> list[CifarImages]:
    """Five batches of the same size."""
    size = len(pictures.fine) // 5
    cuts = [slice(start, start + size) for start in range(0, 5 * size, size)]
    return [CifarImages(pictures.planes[cut], pictures.fine[cut], pictures.coarse[cut]) for cut in cuts]


def _records(pictures: CifarImages, *labels: list[int]) -> bytes:
    return np.hstack([np.array(labels, np.uint8).T, pictures.planes]).tobytes()
