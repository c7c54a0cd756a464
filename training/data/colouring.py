"""Colours: an image of any mode in 8 bits, opaque, gray or RGB."""

import numpy as np
from PIL import Image

_COLOURLESS = frozenset({"1", "L", "LA", "La"})


def coloured(image: Image.Image, mode: str, alpha: str) -> Image.Image:
    """The image in mode L or RGB, what is transparent laid on the colour `alpha`."""
    whole = _lay(_eight_bits(image), alpha)
    if whole.mode == mode:
        return whole
    return (whole if whole.mode in _COLOURLESS else whole.convert("RGB")).convert(mode)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Samples of 16 or 32 bits or floats in 8; Pillow would clip them at 255."""
    if image.mode[0] not in "IF":
        return image
    samples = np.nan_to_num(np.asarray(image, np.float32), posinf=0, neginf=0)
    scaled = Image.fromarray(np.rint(_to_unit(samples, image.mode) * 255).astype(np.uint8))
    if "transparency" in image.info:
        scaled.putalpha(Image.fromarray(samples != image.info["transparency"]).convert("L"))
    return scaled


def _to_unit(
    samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]], mode: str
) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
    """Samples in 0…1: fractions, bytes or 16-bit numbers by their range, else stretched from least to greatest."""
    low, high = float(samples.min()), float(samples.max())
    for white in (65535.0,) if mode.startswith("I;16") else (1.0, 255.0, 65535.0):
        if low >= 0 and high <= white:
            return samples / np.float32(white)
    return (samples.astype(np.float64) - low) / max(high - low, 1e-12)


def _lay(image: Image.Image, ground: str) -> Image.Image:
    if not image.has_transparency_data:
        return image
    layered = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    mode = "L" if image.mode in _COLOURLESS else "RGB"
    if layered.getchannel("A").getextrema()[0] == 255:
        return layered.convert(mode)
    return Image.alpha_composite(Image.new("RGBA", layered.size, ground), layered).convert(mode)
