"""Resizing: an image is brought to the graph's width and height by stretching, cropping or padding."""

from collections.abc import Callable

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from modelrepo.metadata import Preprocessing
from preprocessing.components import border

FILTERS = {
    "nearest": Resampling.NEAREST,
    "bilinear": Resampling.BILINEAR,
    "bicubic": Resampling.BICUBIC,
    "lanczos": Resampling.LANCZOS,
    "area": Resampling.BOX,
}
# From this ratio on Pillow averages whole blocks before it filters, which bounds time and memory for any shape.
REDUCING_GAP = 3.0

Size = tuple[int, int]  # width, height, as Pillow has it
Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels
Fit = Callable[[Image.Image, Size, Resampling], Image.Image]


def resize(image: Image.Image, size: Size, contract: Preprocessing) -> tuple[Image.Image, str]:
    """Resize an image of mode L or RGB; returns the image and the step's name, "" if the size was right.

    An image of the right aspect ratio is only scaled, whatever the contract's `fit` says.
    """
    if image.size == size:
        return image, ""
    resample = FILTERS[contract.interpolation]
    if image.width * size[1] == image.height * size[0]:
        return _stretch(image, size, resample), "resized"
    fit, step = FITS[contract.fit]
    return fit(image, size, resample), step


def _stretch(image: Image.Image, size: Size, resample: Resampling, box: Box | None = None) -> Image.Image:
    return image.resize(size, resample, box=box, reducing_gap=REDUCING_GAP)


def _crop(image: Image.Image, size: Size, resample: Resampling) -> Image.Image:
    """The largest centered part of the graph's aspect ratio; what is cut off is never scaled."""
    scale = min(image.width / size[0], image.height / size[1])
    width, height = min(size[0] * scale, image.width), min(size[1] * scale, image.height)
    left, top = (image.width - width) / 2, (image.height - height) / 2
    box = (left, top, min(left + width, image.width), min(top + height, image.height))
    return _stretch(image, size, resample, box)


def _pad(image: Image.Image, size: Size, resample: Resampling) -> Image.Image:
    """The whole image, centered; the rest in the median color of its border, which makes the faintest edge."""
    scale = min(size[0] / image.width, size[1] / image.height)
    whole = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    inner = _stretch(image, whole, resample)
    padded = Image.new(image.mode, size, _border_color(inner))
    padded.paste(inner, ((size[0] - whole[0]) // 2, (size[1] - whole[1]) // 2))
    return padded


def _border_color(image: Image.Image) -> tuple[int, ...]:
    pixels = np.atleast_3d(np.asarray(image))
    return tuple(int(level) for level in np.median(border(pixels), axis=0))


FITS: dict[str, tuple[Fit, str]] = {
    "stretch": (_stretch, "stretched"),
    "crop": (_crop, "cropped"),
    "pad": (_pad, "padded"),
}
