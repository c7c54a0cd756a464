"""The images that are posted: real ones where a data set is at hand, else those that the bundle brings along."""

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from modelrepo.golden import read_golden

COUNT = 256  # enough that neither a branch predictor nor a cache sees one image again and again


@dataclass(frozen=True)
class Pictures:
    """Encoded image files, all of one content type, and where they came from, in words."""

    contents: tuple[bytes, ...]
    content_type: str
    source: str


def find_pictures(model: str, data: Path, bundle: Path) -> Pictures:
    """The test images of the model's data set below or at `data`, else the golden images of its bundle."""
    if model == "mnist" and (file := _locate(data, "mnist.npz")):
        return _read_mnist(file)
    if model == "cifar10" and (file := _locate(data, "cifar10.tar.gz")):
        return _read_cifar10(file)
    contents = tuple(image.content for image in read_golden(bundle).images)
    return Pictures(contents, "image/png", f"{len(contents)} golden images of the bundle, no data set being at hand")


def _locate(data: Path, name: str) -> Path | None:
    file = data / name if data.is_dir() else data
    return file if file.is_file() and file.name == name else None


def _read_mnist(file: Path) -> Pictures:
    """The arrays of Keras's `mnist.npz` as PNG files."""
    with np.load(file) as arrays:
        contents = tuple(_encode_png(pixels) for pixels in arrays["x_test"][:COUNT])
    return Pictures(contents, "image/png", f"{len(contents)} MNIST test images as PNG")


def _encode_png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _read_cifar10(file: Path) -> Pictures:
    """JPEG files from `test/<class>/` of the archive, spread evenly over the classes."""
    with tarfile.open(file) as archive:
        members = [each for each in archive if each.isfile() and each.name.removeprefix("./").startswith("test/")]
        chosen = members[:: max(1, len(members) // COUNT)][:COUNT]
        contents = tuple(_extract(archive, member) for member in chosen)
    return Pictures(contents, "image/jpeg", f"{len(contents)} CIFAR-10 test images as JPEG")


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    return stream.read() if stream else b""
