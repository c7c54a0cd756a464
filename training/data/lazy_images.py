"""Images that stay in their files and are decoded when they are indexed, as slices of an array of pixels.

Decoded by Pillow and not by TensorFlow, because the service does so. Of 200 photographs cut to 256×256, TensorFlow's
own decoder and resizing gave the same pixels for none, differed by 3.5 of 255 on average, and took 1.2 times the CPU.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, Preprocessing
from preprocessing.errors import ImageError
from preprocessing.pipeline import prepare_file
from training.errors import InvalidData

WORKERS = os.cpu_count() or 1  # threads: Pillow releases Python's global lock while it decodes and resizes

Given = TypeVar("Given")
Made = TypeVar("Made")
Pixels = NDArray[np.uint8]  # [height, width, channels]
Batch = NDArray[np.uint8]  # [N, height, width, channels]


@dataclass(frozen=True)
class Decoder:
    """Makes the pixels of image files for a network, as the service does for the same network."""

    spec: InputSpec
    contract: Preprocessing

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of what a file becomes."""
        return self.spec.height, self.spec.width, self.spec.channels

    def __call__(self, content: bytes) -> Pixels:
        """Decode and prepare one file, of an animation the first frame; raises ImageError, which names no file."""
        return prepare_file(content, self.spec, self.contract).pixels


@dataclass(frozen=True, eq=False)
class LazyImages:
    """Readable files in the order of their labels, as an array of uint8 [N, height, width, channels].

    `hashes`, uint8 [N, 32], are the SHA-256 of each file's bytes. `held` has all pixels if they are few enough to be
    kept in memory; else a file is read and decoded again each time.
    """

    paths: tuple[str, ...]
    hashes: NDArray[np.uint8]
    decode: Decoder
    held: Batch | None = None

    dtype = np.dtype(np.uint8)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Count, height, width and channels, as of an array."""
        return len(self.paths), *self.decode.shape

    def __getitem__(self, chosen: Any) -> Batch:
        """Pixels at one position [height, width, channels], or of a slice or an array of positions [N, …].

        Raises InvalidData for a file that can no longer be read.
        """
        if self.held is not None:
            pixels: Batch = self.held[chosen]
            return pixels
        positions = np.arange(len(self))[chosen]
        if positions.ndim == 0:
            return self._read(int(positions))
        pixels = np.empty((len(positions), *self.decode.shape), np.uint8)
        for place, image in enumerate(in_threads(self._read, positions.tolist())):
            pixels[place] = image
        return pixels

    def __iter__(self) -> Iterator[Pixels]:
        return (self[position] for position in range(len(self)))

    def select(self, chosen: NDArray[np.int64]) -> "LazyImages":
        """The files at these positions, still not decoded."""
        return replace(
            self,
            paths=tuple(self.paths[position] for position in chosen),
            hashes=self.hashes[chosen],
            held=None if self.held is None else self.held[chosen],
        )

    def _read(self, position: int) -> Pixels:
        path = self.paths[position]
        try:
            return self.decode(Path(path).read_bytes())
        except (OSError, ImageError) as error:
            raise InvalidData(f"{path} was readable before the training and no longer is ({error})") from error


def in_threads(work: Callable[[Given], Made], items: Iterable[Given]) -> list[Made]:
    """The results of `work`, in the order of the items."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, items))
