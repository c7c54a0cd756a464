"""Color modes: bit depth, transparency, gray or RGB.

Each function returns the image and the step's name, which is "" if the image needed no change.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GRAY_MODES = frozenset({"1", "L", "LA", "La"})


def to_8_bits(image: Image.Image) -> tuple[Image.Image, str]:
    """Scale 16-bit, 32-bit and float samples to 8 bits; `Image.convert` would clip them at 255."""
    if image.mode[0] not in "IF":
        return image, ""
    samples = np.nan_to_num(np.asarray(image, np.float32), posinf=0, neginf=0)
    scaled = Image.fromarray(np.rint(_to_unit_range(samples, image.mode) * 255).astype(np.uint8))
    if "transparency" in image.info:
        scaled.putalpha(Image.fromarray(samples != image.info["transparency"]).convert("L"))
    return scaled, "scaled to 8 bits"


def flatten(image: Image.Image, alpha: str) -> tuple[Image.Image, str]:
    """Lay a transparent image on a background, as the contract's `alpha` says: "white", "black" or "contrast"."""
    if not image.has_transparency_data:
        return image, ""
    mode = "L" if image.mode in GRAY_MODES else "RGB"
    layer = image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")
    if layer.getchannel("A").getextrema()[0] == 255:
        return layer.convert(mode), ""
    background = _contrasting_color(layer) if alpha == "contrast" else alpha
    composite = Image.alpha_composite(Image.new("RGBA", layer.size, background), layer)
    return composite.convert(mode), f"laid on {background}"


def to_mode(image: Image.Image, mode: str) -> tuple[Image.Image, str]:
    """Convert an opaque image of 8 bits to mode "L" or "RGB"."""
    if image.mode == mode:
        return image, ""
    plain = image if image.mode in GRAY_MODES else image.convert("RGB")
    return plain.convert(mode), "grayscale" if mode == "L" else "rgb"


def _to_unit_range(samples: NDArray[np.float32], mode: str) -> NDArray[np.floating]:
    """Samples in [0, 1].

    Modes I and F have no agreed white: up to 1 they are fractions, up to 255 bytes, up to 65,535 16-bit numbers;
    anything else is stretched from its least to its greatest.
    """
    low, high = float(samples.min()), float(samples.max())
    whites = (65535.0,) if mode.startswith("I;16") else (1.0, 255.0, 65535.0)
    for white in whites:
        if low >= 0 and high <= white:
            return samples / np.float32(white)
    return (samples.astype(np.float64) - low) / max(high - low, 1e-12)


def _contrasting_color(layer: Image.Image) -> str:
    """White or black, whichever is farther from the mean brightness of the pixels that are more opaque than not."""
    visible = layer.getchannel("A").point([0] * 128 + [255] * 128)
    counts = layer.convert("L").histogram(visible)
    total = sum(counts)
    return "black" if sum(level * count for level, count in enumerate(counts)) > 127 * total else "white"
