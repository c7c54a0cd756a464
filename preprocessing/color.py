"""Colour modes: an image of any mode in 8 bits, opaque, gray or RGB; each step also returns its word, or ""."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLORLESS = frozenset({"1", "L", "LA", "La"})

Step = tuple[Image.Image, str]


def eight_bits(image: Image.Image) -> Step:
    """Images of 16-bit, 32-bit or float samples in 8 bits; `Image.convert` would clip them at 255."""
    if image.mode[0] not in "IF":
        return image, ""
    samples = np.nan_to_num(np.asarray(image, np.float32), posinf=0, neginf=0)
    scaled = Image.fromarray(np.rint(_unit(samples, image.mode) * 255).astype(np.uint8))
    if "transparency" in image.info:
        scaled.putalpha(Image.fromarray(samples != image.info["transparency"]).convert("L"))
    return scaled, "scaled to 8 bits"


def opaque(image: Image.Image, alpha: str) -> Step:
    """The image laid on what `alpha` names (white, black or contrast), if any of it is transparent."""
    if not image.has_transparency_data:
        return image, ""
    mode = "L" if image.mode in COLORLESS else "RGB"
    layered = image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")
    if layered.getchannel("A").getextrema()[0] == 255:
        return layered.convert(mode), ""
    ground = _contrasting(layered) if alpha == "contrast" else alpha
    laid = Image.alpha_composite(Image.new("RGBA", layered.size, ground), layered)
    return laid.convert(mode), f"laid on {ground}"


def in_mode(image: Image.Image, mode: str) -> Step:
    """An image of 8 bits in mode L or RGB."""
    if image.mode == mode:
        return image, ""
    colour = image if image.mode in COLORLESS else image.convert("RGB")
    return colour.convert(mode), "grayscale" if mode == "L" else "rgb"


def _unit(samples: NDArray[np.float32], mode: str) -> NDArray[np.floating]:
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


def _contrasting(layered: Image.Image) -> str:
    """White or black, whichever is farther from the mean brightness of what is more visible than not."""
    visible = layered.getchannel("A").point([0] * 128 + [255] * 128)
    counts = layered.convert("L").histogram(visible)
    total = sum(counts)
    return "black" if sum(level * count for level, count in enumerate(counts)) > 127 * total else "white"
