"""Color modes: bit depth, transparency, gray or RGB.

Each function returns the image and the step's name, which is "" if the image needed no change.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

STRIP_PIXELS = 1 << 18  # of a strip of a large image
GRAY_MODES = frozenset({"1", "L", "LA", "La"})


def to_8_bits(image: Image.Image) -> tuple[Image.Image, str]:
    """Scale 16-bit, 32-bit and float samples to 8 bits; `Image.convert` would clip them at 255."""
    if image.mode[0] not in "IF":
        return image, ""
    low, high = _extent(image)
    transparent = image.info.get("transparency")
    scaled, mask = Image.new("L", image.size), Image.new("L", image.size if transparent is not None else (0, 0))
    for place, strip in _strips(image):
        samples = _samples(strip)
        unit = _to_unit_range(samples, image.mode, low, high)
        scaled.paste(Image.fromarray(np.rint(unit * 255).astype(np.uint8)), place)
        if transparent is not None:
            mask.paste(Image.fromarray(samples != transparent).convert("L"), place)
    if transparent is not None:
        scaled.putalpha(mask)
    return scaled, "scaled to 8 bits"


def flatten(image: Image.Image, alpha: str) -> tuple[Image.Image, str]:
    """Lay a transparent image on a background, as the contract's `alpha` says: "white", "black" or "contrast"."""
    if not image.has_transparency_data:
        return image, ""
    mode = "L" if image.mode in GRAY_MODES else "RGB"
    if image.width * image.height <= STRIP_PIXELS:
        image = _to_rgba(image)  # once, where it is not done for each strip
    is_opaque = all(_to_rgba(strip).getchannel("A").getextrema()[0] == 255 for _, strip in _strips(image))
    background = _contrasting_color(image) if alpha == "contrast" and not is_opaque else alpha
    flat = Image.new(mode, image.size)
    for place, strip in _strips(image):
        layer = _to_rgba(strip)
        if not is_opaque:
            layer = Image.alpha_composite(Image.new("RGBA", layer.size, background), layer)
        flat.paste(layer.convert(mode), place)
    return flat, "" if is_opaque else f"laid on {background}"


def to_mode(image: Image.Image, mode: str) -> tuple[Image.Image, str]:
    """Convert an opaque image of 8 bits to mode "L" or "RGB"."""
    if image.mode == mode:
        return image, ""
    plain = image if image.mode in GRAY_MODES or image.mode == "RGB" else image.convert("RGB")
    return plain.convert(mode), "grayscale" if mode == "L" else "rgb"


def _strips(image: Image.Image) -> Iterator[tuple[tuple[int, int], Image.Image]]:
    """The image in strips of whole rows with the place of each, so that few of its pixels are ever copied at a time."""
    rows = max(1, STRIP_PIXELS // image.width)
    if rows >= image.height:
        yield (0, 0), image
        return
    for top in range(0, image.height, rows):
        yield (0, top), image.crop((0, top, image.width, min(top + rows, image.height)))


def _samples(image: Image.Image) -> NDArray[np.float32]:
    return np.nan_to_num(np.asarray(image, np.float32), posinf=0, neginf=0)


def _extent(image: Image.Image) -> tuple[float, float]:
    """The least and the greatest sample."""
    extents = [(float(samples.min()), float(samples.max())) for samples in (_samples(s) for _, s in _strips(image))]
    return min(low for low, _ in extents), max(high for _, high in extents)


def _to_rgba(image: Image.Image) -> Image.Image:
    if image.mode == "RGBA":
        return image
    return image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")


def _to_unit_range(samples: NDArray[np.float32], mode: str, low: float, high: float) -> NDArray[np.floating]:
    """Samples in [0, 1], of an image whose least and greatest are `low` and `high`.

    Modes I and F have no agreed white: up to 1 they are fractions, up to 255 bytes, up to 65,535 16-bit numbers;
    anything else is stretched from its least to its greatest.
    """
    whites = (65535.0,) if mode.startswith("I;16") else (1.0, 255.0, 65535.0)
    for white in whites:
        if low >= 0 and high <= white:
            return samples / np.float32(white)
    return (samples.astype(np.float64) - low) / max(high - low, 1e-12)


def _contrasting_color(image: Image.Image) -> str:
    """White or black, whichever is farther from the mean brightness of the pixels that are more opaque than not."""
    total = brightness = 0
    for _, strip in _strips(image):
        layer = _to_rgba(strip)
        visible = layer.getchannel("A").point([0] * 128 + [255] * 128)
        counts = layer.convert("L").histogram(visible)
        total += sum(counts)
        brightness += sum(level * count for level, count in enumerate(counts))
    return "black" if brightness > 127 * total else "white"
