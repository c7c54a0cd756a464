"""What is posted over and over: one image a request, or a batch of decoded ones."""

import io
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from bench.pictures import Pictures
from service.images import decode

MAX_PIXELS = 50_000_000  # the service's default limit

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


@dataclass(frozen=True)
class Workload:
    """Bodies that take turns in requests to one path; each holds `images` images."""

    path: str
    content_type: str
    bodies: tuple[bytes, ...]
    images: int

    def write(self, folder: Path) -> None:
        """Write every body to a file named by its number from 0, for a generator that runs in another process."""
        for number, body in enumerate(self.bodies):
            (folder / str(number)).write_bytes(body)


def single_images(path: str, pictures: Pictures) -> Workload:
    """One encoded picture a request."""
    return Workload(path, pictures.content_type, pictures.contents, images=1)


def batches(path: str, pictures: Pictures, size: int) -> Workload:
    """`size` pictures a request, decoded here and sent as one uint8 `.npy` of [size, height, width, channels]."""
    supply = cycle(read_pixels(content) for content in pictures.contents)
    count = max(2, len(pictures.contents) // size)
    bodies = tuple(write_npy(np.stack(list(islice(supply, size)))) for _ in range(count))
    return Workload(path, "application/x-npy", bodies, images=size)


def read_pixels(content: bytes) -> Pixels:
    """What is in an image file: uint8 [height, width, channels]."""
    pixels = np.asarray(decode(content, MAX_PIXELS), np.uint8)
    return pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels


def write_npy(array: Pixels) -> bytes:
    """The array as a `.npy` file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()
