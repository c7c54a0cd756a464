"""The scan of a folder's files before the training: each is decoded once, in threads; those that fail are listed."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePath
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from preprocessing.decode import IMAGE_EXTENSIONS
from preprocessing.errors import ImageError
from training.data.lazy_images import WORKERS, Decoder, LazyImages, in_threads

# Up to so many bytes of pixels are kept in memory: 10,922 images of 64×64. TensorFlow makes a copy or two of them, for
# which small machines with 2 GB have enough. The files of larger sets are decoded again in every epoch.
HELD_BYTES = 128 << 20
_CHUNK = 64 * WORKERS  # files between two updates of the progress bar


@dataclass(frozen=True)
class Unreadable:
    """A file with the suffix of an image that cannot be decoded, and the reason."""

    path: str
    reason: str


@dataclass(frozen=True)
class ScanResult:
    """The readable files with their positions among those scanned, int64 [N], and the others.

    `ignored` counts files that neither are images nor have an image's suffix, such as a list of licenses.
    """

    images: LazyImages
    positions: NDArray[np.int64]
    unreadable: tuple[Unreadable, ...]
    ignored: int


def scan_files(paths: Sequence[str], decode: Decoder, hold: int = HELD_BYTES) -> ScanResult:
    """Decode every file once; the pixels are kept if those of all files take at most `hold` bytes."""
    held = np.empty((len(paths), *decode.shape), np.uint8) if len(paths) * math.prod(decode.shape) <= hold else None

    def scan(position: int) -> bytes | str:
        """The SHA-256 of a file, or the reason why it cannot be decoded."""
        try:
            content = Path(paths[position]).read_bytes()
            pixels = decode(content)
        except (OSError, ImageError) as error:
            return str(error)
        if held is not None:
            held[position] = pixels
        return sha256(content).digest()

    results = list(_in_chunks(scan, len(paths)))
    positions = np.array([position for position, result in enumerate(results) if isinstance(result, bytes)], np.int64)
    failed = [Unreadable(path, result) for path, result in zip(paths, results, strict=True) if isinstance(result, str)]
    unreadable = tuple(file for file in failed if PurePath(file.path).suffix.lower() in IMAGE_EXTENSIONS)
    images = LazyImages(
        paths=tuple(paths[position] for position in positions),
        hashes=np.frombuffer(b"".join(filter(_is_hash, results)), np.uint8).reshape(-1, 32),
        decode=decode,
        held=None if held is None else held[positions],
    )
    return ScanResult(images, positions, unreadable, len(failed) - len(unreadable))


def _in_chunks(scan: Callable[[int], bytes | str], count: int) -> Iterator[bytes | str]:
    """The results of all positions, a chunk at a time: tasks for millions of files at once would fill the memory."""
    with tqdm(total=count, desc="Checking", unit=" images", leave=False, disable=None) as bar:
        for start in range(0, count, _CHUNK):
            positions = range(start, min(start + _CHUNK, count))
            yield from in_threads(scan, positions)
            bar.update(len(positions))


def _is_hash(result: bytes | str) -> TypeGuard[bytes]:
    return isinstance(result, bytes)
