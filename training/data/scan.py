"""Which files can be learned from: each is read and decoded once before the training, many at a time."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePath
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from preprocessing.decode import EXTENSIONS
from preprocessing.errors import ImageError
from training.data.lazy_images import WORKERS, Decoder, ImageFiles, in_threads

# Pixels of so many bytes are held in memory: 10,922 images of 64×64. TensorFlow makes a copy or two of them, which
# fits beside it into the 2 GB that small machines have. Larger sets are decoded anew in every epoch.
HELD_BYTES = 128 << 20
_CHUNK = 64 * WORKERS  # files between two looks at the progress bar


@dataclass(frozen=True)
class Unreadable:
    """A file that calls itself an image and is none."""

    path: str
    why: str


@dataclass(frozen=True)
class Checked:
    """What was found: the readable files, their place among those looked at, and the others.

    `ignored` counts files that neither are images nor have an image's suffix, such as a list of licences.
    """

    images: ImageFiles
    positions: NDArray[np.int64]
    unreadable: tuple[Unreadable, ...]
    ignored: int


def check(paths: Sequence[str], decode: Decoder, hold: int = HELD_BYTES) -> Checked:
    """Decode every file once; the pixels are kept where those of all files take no more than `hold` bytes."""
    held = np.empty((len(paths), *decode.shape), np.uint8) if len(paths) * math.prod(decode.shape) <= hold else None

    def look(position: int) -> bytes | str:
        """The SHA-256 of a file, or why it cannot be used."""
        try:
            content = Path(paths[position]).read_bytes()
            pixels = decode(content)
        except (OSError, ImageError) as error:
            return str(error)
        if held is not None:
            held[position] = pixels
        return sha256(content).digest()

    outcomes = list(_show_progress(look, len(paths)))
    positions = np.array([place for place, outcome in enumerate(outcomes) if isinstance(outcome, bytes)], np.int64)
    failed = [Unreadable(path, why) for path, why in zip(paths, outcomes, strict=True) if isinstance(why, str)]
    unreadable = tuple(each for each in failed if PurePath(each.path).suffix.lower() in EXTENSIONS)
    images = ImageFiles(
        paths=tuple(paths[position] for position in positions),
        hashes=np.frombuffer(b"".join(filter(_is_hash, outcomes)), np.uint8).reshape(-1, 32),
        decode=decode,
        held=None if held is None else held[positions],
    )
    return Checked(images, positions, unreadable, len(failed) - len(unreadable))


def _show_progress(look: Callable[[int], bytes | str], count: int) -> Iterator[bytes | str]:
    """What is found of each, a chunk at a time: work for millions of files at once would itself fill the memory."""
    with tqdm(total=count, desc="Checking", unit=" images", leave=False, disable=None) as bar:
        for start in range(0, count, _CHUNK):
            positions = range(start, min(start + _CHUNK, count))
            yield from in_threads(look, positions)
            bar.update(len(positions))


def _is_hash(outcome: bytes | str) -> TypeGuard[bytes]:
    return isinstance(outcome, bytes)
