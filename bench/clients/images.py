"""The images that are posted, and the workload made of them: one image a request, or batches of decoded images.

They are test images of a data set where there is one, else the golden images of the bundle.
"""

import io
import tarfile
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from modelrepo.golden import read_golden
from preprocessing.decode import decode
from preprocessing.png import encode_png

COUNT = 256  # enough different images that caches and branch prediction do not favour one

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


@dataclass(frozen=True)
class ImageSet:
    """Encoded image files, all of one content type, and a description of their source."""

    contents: tuple[bytes, ...]
    content_type: str
    source: str


def find_images(model: str, data: Path, bundle: Path) -> ImageSet:
    """The test images of the model's data set below or at `data`, else the golden images of its bundle."""
    if model == "mnist" and (file := _locate(data, "mnist.npz")):
        return _read_mnist(file)
    if model == "cifar10" and (file := _locate(data, "cifar10.tar.gz")):
        return _read_cifar10(file)
    contents = tuple(image.content for image in read_golden(bundle).images)
    return ImageSet(contents, "image/png", f"{len(contents)} golden images of the bundle, as no data set was found")


def _locate(data: Path, name: str) -> Path | None:
    file = data / name if data.is_dir() else data
    return file if file.is_file() and file.name == name else None


def _read_mnist(file: Path) -> ImageSet:
    """The arrays of Keras's `mnist.npz` as PNG files."""
    with np.load(file) as arrays:
        contents = tuple(encode_png(pixels) for pixels in arrays["x_test"][:COUNT])
    return ImageSet(contents, "image/png", f"{len(contents)} MNIST test images as PNG")


def _read_cifar10(file: Path) -> ImageSet:
    """JPEG files from `test/<class>/` of the archive, spread evenly over the classes."""
    with tarfile.open(file) as archive:
        members = [each for each in archive if each.isfile() and each.name.removeprefix("./").startswith("test/")]
        chosen = members[:: max(1, len(members) // COUNT)][:COUNT]
        contents = tuple(_extract(archive, member) for member in chosen)
    return ImageSet(contents, "image/jpeg", f"{len(contents)} CIFAR-10 test images as JPEG")


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    return stream.read() if stream else b""


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


def single_images(path: str, images: ImageSet) -> Workload:
    """One encoded image a request."""
    return Workload(path, images.content_type, images.contents, images=1)


def batches(path: str, images: ImageSet, size: int) -> Workload:
    """`size` images a request, decoded here and sent as one uint8 `.npy` of [size, height, width, channels]."""
    supply = cycle(decode_pixels(content) for content in images.contents)
    count = max(2, len(images.contents) // size)
    bodies = tuple(write_npy(np.stack(list(islice(supply, size)))) for _ in range(count))
    return Workload(path, "application/x-npy", bodies, images=size)


def decode_pixels(content: bytes) -> Pixels:
    """The pixels of an image file: uint8 [height, width, channels]."""
    pixels = np.asarray(decode(content), np.uint8)
    return pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels


def write_npy(array: Pixels) -> bytes:
    """The array as a `.npy` file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()
