"""The preprocessing contract of a bundle, carried out: an image of any kind becomes the pixels that the graph takes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modelrepo.metadata import InputSpec, Preprocessing
from preprocessing.color import eight_bits, in_mode, opaque
from preprocessing.handwriting import to_mnist
from preprocessing.orientation import upright
from preprocessing.resize import resize

PIXEL_MODES = {"grayscale": "L", "rgb": "RGB"}


@dataclass(frozen=True)
class PreparedImage:
    """Pixels uint8 [height, width, channels] and the words for what was done to get them, none if nothing was."""

    pixels: NDArray[np.uint8]
    steps: tuple[str, ...]


def prepare(image: Image.Image, spec: InputSpec, rules: Preprocessing) -> PreparedImage:
    """Bring a decoded image to the input's size and colour mode; what has both already keeps every bit."""
    size, mode = (spec.width, spec.height), PIXEL_MODES[rules.mode]
    image, turned = upright(image) if rules.exif_orientation else (image, "")
    if image.size == size and image.mode == mode and "transparency" not in image.info:
        return PreparedImage(_pixels(image), _said(turned))
    image, depth = eight_bits(image)
    image, ground = opaque(image, rules.alpha)
    image, colour = in_mode(image, mode)
    if rules.ink:
        ink, ink_steps = to_mnist(np.asarray(image.convert("L")), (spec.height, spec.width))
        return PreparedImage(_channels(ink, spec.channels), _said(turned, depth, ground, colour, *ink_steps))
    image, fit = resize(image, size, rules)
    return PreparedImage(_pixels(image), _said(turned, depth, ground, colour, fit))


def _said(*words: str) -> tuple[str, ...]:
    return tuple(word for word in words if word)


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    return np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width, -1)


def _channels(gray: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    return np.repeat(gray[:, :, None], channels, axis=2)
