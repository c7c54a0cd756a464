"""The preprocessing contract of a bundle, carried out: an image of any kind becomes the pixels that the graph takes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Transpose

from modelrepo.metadata import InputSpec, Preprocessing
from service.colours import eight_bits, in_mode, opaque
from service.fitting import fitted
from service.images import orientation
from service.ink import to_mnist

PIXEL_MODES = {"grayscale": "L", "rgb": "RGB"}
# EXIF 2.32, tag 0x0112: what brings each orientation upright.
UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class PreparedImage:
    """Pixels uint8 [height, width, channels] and the words for what was done to get them, none if nothing was."""

    pixels: NDArray[np.uint8]
    steps: tuple[str, ...]


def prepare(image: Image.Image, spec: InputSpec, rules: Preprocessing) -> PreparedImage:
    """Bring a decoded image to the input's size and colour mode; what has both already keeps every bit."""
    size, mode = (spec.width, spec.height), PIXEL_MODES[rules.mode]
    image, turned = _upright(image) if rules.exif_orientation else (image, "")
    if image.size == size and image.mode == mode and "transparency" not in image.info:
        return PreparedImage(_pixels(image), _said(turned))
    image, depth = eight_bits(image)
    image, ground = opaque(image, rules.alpha)
    image, colour = in_mode(image, mode)
    if rules.ink:
        ink, ink_steps = to_mnist(np.asarray(image.convert("L")), (spec.height, spec.width))
        return PreparedImage(_channels(ink, spec.channels), _said(turned, depth, ground, colour, *ink_steps))
    image, fit = fitted(image, size, rules)
    return PreparedImage(_pixels(image), _said(turned, depth, ground, colour, fit))


def normalise(pixels: NDArray[np.uint8], spec: InputSpec, rules: Preprocessing) -> NDArray[Any]:
    """What the graph takes, C-contiguous, from uint8 [N, height, width, channels], colour being RGB.

    Turned round where the graph takes BGR; (pixel × scale − mean) / std in float32 where the contract asks for any of
    them or for float32, else the uint8 pixels themselves; transposed to [N, channels, height, width] where the layout
    is NCHW.
    """
    batch: NDArray[Any] = pixels[..., ::-1] if rules.channel_order == "bgr" else pixels
    if spec.dtype != "uint8" or not (rules.scale is None and rules.mean is None and rules.std is None):
        batch = _scaled(batch.astype(np.float32), rules)
    if spec.layout == "NCHW":
        batch = batch.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(batch)


def _scaled(batch: NDArray[np.float32], rules: Preprocessing) -> NDArray[np.float32]:
    if rules.scale is not None:
        batch *= np.float32(rules.scale)
    if rules.mean is not None:
        batch -= np.asarray(rules.mean, np.float32)
    if rules.std is not None:
        batch /= np.asarray(rules.std, np.float32)
    return batch


def _upright(image: Image.Image) -> tuple[Image.Image, str]:
    how = UPRIGHT.get(orientation(image))
    if how is None:
        return image, ""
    turned = image.transpose(how)
    turned.info = {name: value for name, value in image.info.items() if name == "transparency"}
    return turned, "rotated"


def _said(*words: str) -> tuple[str, ...]:
    return tuple(word for word in words if word)


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    return np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width, -1)


def _channels(gray: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    return np.repeat(gray[:, :, None], channels, axis=2)
