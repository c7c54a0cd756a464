"""Width and height: an image brought to a network's size by stretching, cropping or padding."""

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from modelrepo.metadata import Preprocessing

_FILTERS = {
    "nearest": Resampling.NEAREST,
    "bilinear": Resampling.BILINEAR,
    "bicubic": Resampling.BICUBIC,
    "lanczos": Resampling.LANCZOS,
    "area": Resampling.BOX,
}
_REDUCING_GAP = 3.0  # the service's: part of what the pixels are, for any image much larger than the network's

Size = tuple[int, int]  # width, height, as Pillow has it


def framed(image: Image.Image, size: Size, rules: Preprocessing) -> Image.Image:
    """The image, of mode L or RGB, in that size."""
    resample = _FILTERS[rules.interpolation]
    if image.size == size:
        return image
    if rules.fit == "stretch" or image.width * size[1] == image.height * size[0]:
        return image.resize(size, resample, reducing_gap=_REDUCING_GAP)
    return (_crop if rules.fit == "crop" else _pad)(image, size, resample)


def _crop(image: Image.Image, size: Size, resample: Resampling) -> Image.Image:
    """The largest centred part of the right shape."""
    scale = min(image.width / size[0], image.height / size[1])
    width, height = min(size[0] * scale, image.width), min(size[1] * scale, image.height)
    left, top = (image.width - width) / 2, (image.height - height) / 2
    box = (left, top, min(left + width, image.width), min(top + height, image.height))
    return image.resize(size, resample, box, _REDUCING_GAP)


def _pad(image: Image.Image, size: Size, resample: Resampling) -> Image.Image:
    """The whole image in the middle of the median colour of its border."""
    scale = min(size[0] / image.width, size[1] / image.height)
    whole = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    inner = image.resize(whole, resample, reducing_gap=_REDUCING_GAP)
    padded = Image.new(image.mode, size, _border_colour(inner))
    padded.paste(inner, ((size[0] - whole[0]) // 2, (size[1] - whole[1]) // 2))
    return padded


def _border_colour(image: Image.Image) -> tuple[int, ...]:
    pixels = np.atleast_3d(np.asarray(image))
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return tuple(int(level) for level in np.median(border, axis=0))
