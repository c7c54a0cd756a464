"""The preprocessing contract of a bundle, carried out: image files become pixels of the graph's size and color mode."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modelrepo.metadata import InputSpec, Preprocessing
from preprocessing.color import flatten, to_8_bits, to_mode
from preprocessing.decode import DEFAULT_MAX_PIXELS, decode
from preprocessing.handwriting import to_mnist
from preprocessing.orientation import orient
from preprocessing.resize import resize

PIXEL_MODES = {"grayscale": "L", "rgb": "RGB"}


@dataclass(frozen=True)
class PreparedImage:
    """Pixels, uint8 [height, width, channels], and the names of the steps that changed the image to get them."""

    pixels: NDArray[np.uint8]
    steps: tuple[str, ...]


def prepare_file(
    content: bytes, spec: InputSpec, contract: Preprocessing, max_pixels: int = DEFAULT_MAX_PIXELS
) -> PreparedImage:
    """Decode an image file and prepare the image; raises ImageError as `decode` does."""
    return prepare(decode(content, max_pixels), spec, contract)


def prepare(image: Image.Image, spec: InputSpec, contract: Preprocessing) -> PreparedImage:
    """Bring a decoded image to the input's size and color mode; an image that has both keeps its pixels."""
    size, mode = (spec.width, spec.height), PIXEL_MODES[contract.mode]
    image, turned = orient(image) if contract.exif_orientation else (image, "")
    if image.size == size and image.mode == mode and "transparency" not in image.info:
        return PreparedImage(_to_array(image), _drop_empty(turned))
    image, scaled = to_8_bits(image)
    image, flattened = flatten(image, contract.alpha)
    image, converted = to_mode(image, mode)
    if contract.ink:
        gray, handwriting_steps = to_mnist(np.asarray(image.convert("L")), (spec.height, spec.width))
        pixels = np.repeat(gray[:, :, None], spec.channels, axis=2)
        return PreparedImage(pixels, _drop_empty(turned, scaled, flattened, converted, *handwriting_steps))
    image, resized = resize(image, size, contract)
    return PreparedImage(_to_array(image), _drop_empty(turned, scaled, flattened, converted, resized))


def _drop_empty(*steps: str) -> tuple[str, ...]:
    return tuple(step for step in steps if step)


def _to_array(image: Image.Image) -> NDArray[np.uint8]:
    return np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width, -1)
