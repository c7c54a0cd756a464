"""Color profiles (ICC.1): an image with colors of its own becomes sRGB, which is what all others are taken for.

A profile that cannot be used is ignored, as browsers do. One that hardly differs from sRGB changes no pixel, so that
what most cameras and programs write costs nothing.
"""

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImagePalette
from PIL.ImageCms import ImageCmsTransform

from preprocessing.errors import DECODER_ERRORS

MAX_BYTES = 4 << 20  # of a profile; those of printing presses have up to 3 MB
KEPT_BYTES = 8192  # up to here what was made of a profile is kept; cameras' and screens' have 500 to 4,000
KEPT = 8  # of them
SAME = 2  # levels of 255 that a profile may differ from sRGB without being one of its own
# A larger image is averaged over blocks first, for converting a pixel costs as much as decoding three.
MANAGED_PIXELS = 1 << 19
SHARPNESS = 3  # times the width and height that are wanted, which averaging leaves at least

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_SPACES = {"RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}  # of a profile, by the mode of the pixels
_OUTPUTS = {"RGB": "RGB", "RGBA": "RGBA", "CMYK": "RGB"}
_UNUSABLE = (ImageCms.PyCMSError, *DECODER_ERRORS)


def to_srgb(image: Image.Image, size: tuple[int, int]) -> tuple[Image.Image, str]:
    """Convert an image of 8 bits, or gray of 16, to sRGB; returns the image and the step's name, or "".

    `size` (width, height) is what the image is to be resized to; a large one may come back smaller, but not that small.
    """
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or len(profile) > MAX_BYTES:
        return image, ""
    if image.mode in ("L", "LA", "I;16"):
        converted = _convert_gray(image, profile)
    elif image.mode == "P":
        converted = _convert_palette(image, profile)
    else:
        converted = _convert_pixels(image, profile, size)
    return (image, "") if converted is None else (converted, "converted to sRGB")


def _convert_gray(image: Image.Image, profile: bytes) -> Image.Image | None:
    levels = _kept_gray_levels(profile) if len(profile) <= KEPT_BYTES else _find_gray_levels(profile)
    if levels is None or (image.mode == "I;16" and "transparency" in image.info):
        return None
    if image.mode == "I;16":
        deep = np.interp(np.arange(65536), np.arange(256) * 257, np.multiply(levels, 257)).astype(np.uint16)
        return Image.fromarray(deep[np.asarray(image)])
    if image.mode == "L" and "transparency" not in image.info:
        return image.point(levels)
    gray, alpha = image.convert("LA").split()
    return Image.merge("LA", (gray.point(levels), alpha))


def _convert_palette(image: Image.Image, profile: bytes) -> Image.Image | None:
    mode = "RGBA" if image.palette is not None and image.palette.mode == "RGBA" else "RGB"
    transform = _find_transform(profile, mode)
    if transform is None:
        return None
    colors = bytes(image.getpalette(mode) or ())
    row = Image.frombytes(mode, (len(colors) // len(mode), 1), colors)
    converted = image.copy()
    converted.palette = ImagePalette.ImagePalette(mode, transform.apply(row).tobytes())
    return converted.convert(mode)


def _convert_pixels(image: Image.Image, profile: bytes, size: tuple[int, int]) -> Image.Image | None:
    transform = _find_transform(profile, image.mode)
    if transform is None:
        return None
    if "transparency" in image.info:  # a color that would no longer be the same
        image, transform = image.convert("RGBA"), _find_transform(profile, "RGBA") or transform
    sharp = min(image.width / size[0], image.height / size[1]) / SHARPNESS
    blocks = min(np.ceil((image.width * image.height / MANAGED_PIXELS) ** 0.5), sharp)
    converted = transform.apply(image.reduce(int(blocks)) if blocks >= 2 else image)
    converted.info = {}
    return converted


def _find_transform(profile: bytes, mode: str) -> ImageCmsTransform | None:
    return (_kept_transform if len(profile) <= KEPT_BYTES else _build_transform)(profile, mode)


def _build_transform(profile: bytes, mode: str) -> ImageCmsTransform | None:
    """The conversion to sRGB of pixels of a mode; None where there is none, or it would change next to nothing."""
    try:
        source = _read_profile(profile)
        if source.profile.xcolor_space.strip() != _SPACES.get(mode):
            return None
        if mode != "CMYK" and np.abs(_probe(source) - _PROBE).max() <= SAME:
            return None
        return ImageCms.buildTransform(source, _SRGB, mode, _OUTPUTS[mode])
    except _UNUSABLE:
        return None


def _find_gray_levels(profile: bytes) -> list[int] | None:
    """What each gray level becomes; None where the profile is of no use, or would change next to nothing."""
    ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
    try:
        source = _read_profile(profile)
        mode = "L" if source.profile.xcolor_space.strip() == "GRAY" else "RGB"
        transform = _exact_transform(source, mode)
        levels = np.asarray(transform.apply(ramp.convert(mode)).convert("L"), np.int64)[0]
    except _UNUSABLE:
        return None
    return None if np.abs(levels - np.arange(256)).max() <= SAME else levels.tolist()


_kept_transform = lru_cache(KEPT)(_build_transform)
_kept_gray_levels = lru_cache(KEPT)(_find_gray_levels)


def _read_profile(profile: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(profile))


def _exact_transform(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCmsTransform:
    """A conversion that is quickly built, and slow: for few colors."""
    return ImageCms.buildTransform(source, _SRGB, mode, "RGB", flags=ImageCms.Flags.NOOPTIMIZE)


def _probe(source: ImageCms.ImageCmsProfile) -> NDArray[np.int64]:
    colors = Image.fromarray(_PROBE.astype(np.uint8))
    return np.asarray(_exact_transform(source, "RGB").apply(colors), np.int64)


# Gray levels, and colors with 0, 1/3, 2/3 and all of each primary: uint8 [1, 97, 3].
_GRID = np.indices((4, 4, 4)).reshape(3, -1).T * 85
_PROBE = np.concatenate([_GRID, np.repeat(np.arange(0, 256, 8), 3).reshape(-1, 3)])[None]
