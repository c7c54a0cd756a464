"""Small images drawn by the tests, and the file formats that clients send."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 8
BRIGHT = (slice(0, 3), slice(3, 5), slice(5, 8))  # the columns of left, middle and right

Pixels = NDArray[np.uint8]


def tiny_image(place: int, channels: int = 1) -> Pixels:
    """Bright on the left (0), in the middle (1) or on the right (2): uint8 [8, 8, channels]."""
    pixels = np.zeros((SIDE, SIDE, channels), np.uint8)
    pixels[:, BRIGHT[place]] = 255
    return pixels


def as_image(pixels: Pixels) -> Image.Image:
    """Pillow's image of pixels [height, width, 1 or 3]."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def as_file(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of an image file of a Pillow format."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def as_npy(values: NDArray[Any]) -> bytes:
    """The bytes of a .npy file."""
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()
