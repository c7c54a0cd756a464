"""What a case is, and the contracts and sizes that most cases share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modelrepo.metadata import InputSpec, Preprocessing
from tests.preprocessing.frozen.patterns import opacity
from tests.support.images.unusual_files import file_of

Make = Callable[[], bytes]
Files = Mapping[str, Make]

GRAY = InputSpec("image", "uint8", "NHWC", None, height=28, width=28, channels=1)
RGB = replace(GRAY, height=20, width=24, channels=3)
GRAY_RULES = Preprocessing("grayscale", "stretch", "bilinear", "white", exif_orientation=True, ink=False)
RGB_RULES = replace(GRAY_RULES, mode="rgb", fit="crop", interpolation="bicubic")
INK_RULES = replace(GRAY_RULES, alpha="contrast", ink=True)
CONTRACTS = {"as gray": (GRAY, GRAY_RULES), "as RGB": (RGB, RGB_RULES)}

MIDDLE = (36, 44)  # height and width of most pictures: neither input's shape, nor far from it
EXACT = (20, 24)


@dataclass(frozen=True)
class FileCase:
    """An image file, and the contract that it is prepared by."""

    name: str
    make: Make
    spec: InputSpec
    contract: Preprocessing


@dataclass(frozen=True)
class ArrayCase:
    """Pixels of the graph's size, uint8 [N, height, width, channels], and the contract that makes numbers of them."""

    name: str
    pixels: NDArray[np.uint8]
    spec: InputSpec
    contract: Preprocessing


def saved(pixels: NDArray[Any], kind: str, mode: str | None = None, **options: Any) -> bytes:
    image = Image.fromarray(pixels)
    return file_of(image if mode is None else image.convert(mode), kind, **options)


def painted(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colors with an opacity that grows from left to right."""
    return np.dstack([photo, opacity(*photo.shape[:2])])
