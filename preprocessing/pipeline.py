"""The preprocessing contract of a bundle, carried out: image files become pixels, and pixels the graph's input.

An image is brought upright, then to sRGB, 8 bits, opaque, the color mode and the size; a batch of pixels is normalized.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Transpose

from modelrepo.metadata import InputSpec, Preprocessing
from preprocessing.color import flatten, to_8_bits, to_mode
from preprocessing.decode import DEFAULT_MAX_PIXELS, ORIENTATION, decode
from preprocessing.errors import DECODER_ERRORS
from preprocessing.handwriting import is_mnist, to_mnist
from preprocessing.profiles import to_srgb
from preprocessing.resize import resize

PIXEL_MODES = {"grayscale": "L", "rgb": "RGB"}
CORRECTIONS = {
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
    """Pixels, uint8 [height, width, channels], and the names of the steps that changed the image to get them."""

    pixels: NDArray[np.uint8]
    steps: tuple[str, ...]


def prepare_file(
    content: bytes, spec: InputSpec, contract: Preprocessing, max_pixels: int = DEFAULT_MAX_PIXELS
) -> PreparedImage:
    """Decode an image file and prepare the image; raises ImageError as `decode` does."""
    return prepare(decode(content, max_pixels), spec, contract)  # which holds the only reference to what is decoded


def read_pixels(content: bytes, spec: InputSpec, contract: Preprocessing) -> PreparedImage:
    """Decode a file of a graph's own pixels, as golden images are: the rule for handwriting leaves them as they are."""
    return prepare_file(content, spec, replace(contract, ink=False))


def prepare(image: Image.Image, spec: InputSpec, contract: Preprocessing) -> PreparedImage:
    """Bring a decoded image to the input's size and color mode; an image that has both keeps its pixels.

    With the rule for handwriting only one that is in MNIST's form keeps them, whatever mode it was stored in.
    """
    size, mode = (spec.width, spec.height), PIXEL_MODES[contract.mode]
    image, turned = orient(image) if contract.exif_orientation else (image, "")
    image, managed = to_srgb(image, size) if "icc_profile" in image.info else (image, "")
    if image.size == size and image.mode == mode and "transparency" not in image.info and not contract.ink:
        return PreparedImage(_to_array(image), _drop_empty(turned, managed))
    image, scaled = to_8_bits(image)
    image, flattened = flatten(image, contract.alpha)
    image, converted = to_mode(image, mode)
    if contract.ink:
        image = image if image.mode == "L" else image.convert("L")
        gray = np.asarray(image)
        handwriting_steps: tuple[str, ...] = ()
        if image.size != size or not is_mnist(gray):
            gray, handwriting_steps = to_mnist(gray, (spec.height, spec.width))
        pixels = np.repeat(gray[:, :, None], spec.channels, axis=2)
        return PreparedImage(pixels, _drop_empty(turned, managed, scaled, flattened, converted, *handwriting_steps))
    image, resized = resize(image, size, contract)
    return PreparedImage(_to_array(image), _drop_empty(turned, managed, scaled, flattened, converted, resized))


def normalize(pixels: NDArray[np.uint8], spec: InputSpec, contract: Preprocessing) -> NDArray[Any]:
    """Make the graph's input, C-contiguous, of uint8 [N, height, width, channels] with color as RGB.

    The channels are reversed where the graph takes BGR. Values become float32, (pixel × scale − mean) / std with the
    numbers that the contract gives, where the graph takes float32 or there are such numbers; else they stay the uint8
    pixels. The result is [N, channels, height, width] where the layout is NCHW. May be `pixels` itself.
    """
    batch: NDArray[Any] = pixels[..., ::-1] if contract.channel_order == "bgr" else pixels
    if spec.dtype != "uint8" or not (contract.scale is None and contract.mean is None and contract.std is None):
        batch = _scale(batch.astype(np.float32), contract)
    if spec.layout == "NCHW":
        batch = batch.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(batch)


def read_orientation(image: Image.Image) -> int:
    """The orientation as EXIF numbers it, 1 to 8; 1 (upright) where none is given or the data cannot be read."""
    if not image.info.keys() & {"exif", "xmp", "Raw profile type exif"}:
        return 1
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except DECODER_ERRORS:
        return 1
    return value if value in range(1, 9) else 1


def orient(image: Image.Image) -> tuple[Image.Image, str]:
    """Bring an image upright; returns the image and the step's name, "" if it was upright."""
    correction = CORRECTIONS.get(read_orientation(image))
    if correction is None:
        return image, ""
    upright = image.transpose(correction)
    upright.info = {name: value for name, value in image.info.items() if name in ("transparency", "icc_profile")}
    return upright, "rotated"


def _drop_empty(*steps: str) -> tuple[str, ...]:
    return tuple(step for step in steps if step)


def _to_array(image: Image.Image) -> NDArray[np.uint8]:
    return np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width, -1)


def _scale(batch: NDArray[np.float32], contract: Preprocessing) -> NDArray[np.float32]:
    if contract.scale is not None:
        batch *= np.float32(contract.scale)
    if contract.mean is not None:
        batch -= np.asarray(contract.mean, np.float32)
    if contract.std is not None:
        batch /= np.asarray(contract.std, np.float32)
    return batch
