"""Real photographs from the ImageNet sample, and the labels of its thousand classes."""

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.Image import Resampling

from tests.support.images.drawn import Pixels

SIDE = 224


@dataclass(frozen=True)
class Photographs:
    """JPEG files, and the pixels that a network of 224 × 224 gets of each: uint8 [N, 224, 224, 3], RGB."""

    files: list[bytes]
    pixels: Pixels
    labels: tuple[str, ...]


def read_photographs(data_folder: Path, count: int) -> Photographs:
    """The first photographs of the sample, read from its archive."""
    archive = data_folder / "imagenet-sample.tar.gz"
    if not archive.is_file():
        pytest.skip(f"no photographs: {data_folder} has no {archive.name}")
    files: list[bytes] = []
    folders = set()
    with tarfile.open(archive) as stored:
        for member in stored:
            if member.isfile():
                folders.add(Path(member.name).parent.name)  # n01440764_tench: their order is that of the classes
                content = stored.extractfile(member) if len(files) < count else None
                files += [content.read()] if content is not None else []
    return Photographs(files, np.stack([centre(content) for content in files]), tuple(sorted(folders)))


def centre(content: bytes) -> Pixels:
    """The largest centred square, resized once, by Pillow."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(ImageOps.fit(image.convert("RGB"), (SIDE, SIDE), Resampling.BILINEAR))
