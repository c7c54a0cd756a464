"""Transparency, orientation and size: what is done to a picture once it is decoded."""

from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modelrepo.metadata import ALPHAS, FITS, INTERPOLATIONS
from tests.preprocessing.frozen import encoders
from tests.preprocessing.frozen.contracts import (
    CONTRACTS,
    EXACT,
    GRAY,
    GRAY_RULES,
    INK_RULES,
    MIDDLE,
    RGB,
    RGB_RULES,
    FileCase,
    Files,
    painted,
    saved,
)
from tests.preprocessing.frozen.encoders import bmp, oriented, palette, png, tiff, tiff_fields
from tests.preprocessing.frozen.patterns import color, gray, noise, opacity, wide


def list_alphas() -> list[FileCase]:
    """Transparency of every kind, under every rule for it."""
    dark, light, dull = color(*MIDDLE) // 4, 255 - color(*MIDDLE) // 4, gray(*MIDDLE)
    indices = noise(*MIDDLE) >> 4
    opacities = b"tRNS", bytes(n * 17 for n in range(16))
    files: Files = {
        "PNG gray and alpha": partial(saved, np.dstack([dull, opacity(*MIDDLE)]), "PNG"),
        "PNG dark RGBA": partial(saved, painted(dark), "PNG"),
        "PNG light RGBA": partial(saved, painted(light), "PNG"),
        "PNG invisible": partial(saved, np.dstack([dark, np.zeros(MIDDLE, np.uint8)]), "PNG"),
        **{f"PNG RGBA of level {level}": partial(saved, _half_seen(level), "PNG") for level in (127, 128)},
        "PNG palette with opacities": partial(png, indices, encoders.PALETTE, 4, palette(16), opacities),
        "PNG palette with a transparent color": partial(
            png, indices, encoders.PALETTE, 4, palette(16), (b"tRNS", b"\xff\xff\xff\0")
        ),
        "PNG palette with a transparent color that it lacks": partial(
            png, indices, encoders.PALETTE, 4, palette(16), (b"tRNS", b"\xff" * 20 + b"\0")
        ),
        "PNG gray with a transparent level": partial(
            png, indices * 17, encoders.GRAY, 8, (b"tRNS", (51).to_bytes(2, "big"))
        ),
        "PNG of 1 bit with a transparent level": partial(png, indices >> 3, encoders.GRAY, 1, (b"tRNS", b"\0\1")),
        "PNG RGB with a transparent color": partial(
            png, np.dstack([indices * 17] * 3), encoders.RGB, 8, (b"tRNS", b"\0\x33" * 3)
        ),
        "WebP RGBA": partial(saved, painted(light), "WEBP", lossless=True, exact=True),
        "WebP lossy RGBA": partial(saved, painted(dark), "WEBP", quality=80),
        "GIF with a transparent color": partial(saved, indices, "GIF", "P", transparency=3),
        "BMP RGBA": _bmp_with_alpha,
    }
    return [
        FileCase(f"{name} on {alpha}, {how}", make, spec, replace(rules, alpha=alpha))
        for (name, make), alpha, (how, (spec, rules)) in product(files.items(), ALPHAS, CONTRACTS.items())
    ]


def list_orientations() -> list[FileCase]:
    upright = color(*MIDDLE)
    turned = {f"JPEG turned {n}": partial(oriented, upright, n, "JPEG", quality=90) for n in range(1, 9)}
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:D tiff:Orientation="8"/></x:xmpmeta>'
    files: Files = {
        **turned,
        "PNG turned 6": partial(oriented, upright, 6, "PNG"),
        "WebP turned 5": partial(oriented, upright, 5, "WEBP", lossless=True),
        "TIFF turned 7": lambda: tiff(tiff_fields(upright.shape, 8, 2, tag274=(7,)), upright.tobytes()),
        "JPEG turned 8 by XMP": partial(saved, upright, "JPEG", quality=90, xmp=xmp),
        "JPEG turned by a number that is none": lambda: _misoriented(upright, 9),
        "JPEG with damaged EXIF": partial(saved, upright, "JPEG", quality=90, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"),
    }
    as_stored = {name: files[name] for name in ("JPEG turned 6", "PNG turned 6", "TIFF turned 7")}
    return [
        *(FileCase(name, make, RGB, RGB_RULES) for name, make in files.items()),
        *(
            FileCase(f"{name}, left so", make, RGB, replace(RGB_RULES, exif_orientation=False))
            for name, make in as_stored.items()
        ),
        FileCase("JPEG turned 6 to the exact size", partial(oriented, color(20, 24), 6, "JPEG"), RGB, RGB_RULES),
        FileCase("PNG turned 2, with a transparent color", _turned_with_a_transparent_color, RGB, RGB_RULES),
        FileCase("PNG turned 3, transparent", partial(oriented, painted(upright), 3, "PNG"), RGB, RGB_RULES),
    ]


def list_fits() -> list[FileCase]:
    """Every fit with every interpolation, to a smaller and to a larger size and to one much smaller."""
    sizes = {"wide": (40, 95), "tall and small": (15, 9), "very large": (200, 430)}
    return [
        FileCase(
            f"{name} picture, {fit}, {interpolation}",
            partial(saved, color(*size), "PNG"),
            RGB,
            replace(RGB_RULES, fit=fit, interpolation=interpolation),
        )
        for (name, size), fit, interpolation in product(sizes.items(), FITS, INTERPOLATIONS)
    ]


def list_sizes() -> list[FileCase]:
    """Shapes that go to extremes, and the input's own shape in other sizes."""
    sizes = ((1, 1), (1, 300), (300, 1), (1, 5000), (5000, 1), (2, 3), (10, 12), (100, 120), (21, 24), (20, 25))
    return [
        FileCase(f"{height} × {width}, {fit}", partial(saved, color(height, width), "PNG"), RGB, rules)
        for (height, width), fit in product(sizes, FITS)
        for rules in [replace(RGB_RULES, fit=fit)]
    ]


def list_exact() -> list[FileCase]:
    """Pictures that have the input's size already."""
    photo, dull = color(*EXACT), gray(28, 28)
    level = (b"tRNS", int(dull[3, 3]).to_bytes(2, "big"))
    return [
        FileCase("exact RGB", partial(saved, photo, "PNG"), RGB, RGB_RULES),
        FileCase("exact RGBA", partial(saved, painted(photo), "PNG"), RGB, RGB_RULES),
        FileCase("exact JPEG", partial(saved, photo, "JPEG"), RGB, RGB_RULES),
        FileCase("exact palette", partial(saved, photo, "GIF", "P"), RGB, RGB_RULES),
        FileCase("exact gray for RGB", partial(saved, gray(*EXACT), "PNG"), RGB, RGB_RULES),
        FileCase("exact gray", partial(saved, dull, "PNG"), GRAY, GRAY_RULES),
        FileCase("exact RGB for gray", partial(saved, color(28, 28), "PNG"), GRAY, GRAY_RULES),
        FileCase("exact gray of 16 bits", partial(png, wide(28, 28), encoders.GRAY, 16), GRAY, GRAY_RULES),
        FileCase("exact gray with a transparent level", partial(png, dull, encoders.GRAY, 8, level), GRAY, GRAY_RULES),
        FileCase("exact gray for handwriting", partial(saved, dull, "PNG"), GRAY, INK_RULES),
        FileCase("exact RGB for handwriting", partial(saved, color(28, 28), "PNG"), GRAY, INK_RULES),
    ]


def _half_seen(level: int) -> NDArray[np.uint8]:
    """One gray, seen more to the right."""
    return np.dstack([np.full((*MIDDLE, 3), level, np.uint8), opacity(*MIDDLE)])


def _misoriented(upright: NDArray[np.uint8], number: int) -> bytes:
    exif = Image.Exif()
    exif[encoders.ORIENTATION] = number
    return saved(upright, "JPEG", quality=90, exif=exif)


def _turned_with_a_transparent_color() -> bytes:
    exif = Image.Exif()
    exif[encoders.ORIENTATION] = 2
    photo = color(*MIDDLE)
    photo[:, ::3] = (9, 80, 200)
    return saved(photo, "PNG", exif=exif, transparency=(9, 80, 200))


def _bmp_with_alpha() -> bytes:
    masks = b"".join(mask.to_bytes(4, "little") for mask in (0xFF0000, 0xFF00, 0xFF, 0xFF000000))
    blue_first = painted(color(*MIDDLE))[..., [2, 1, 0, 3]]
    return bmp((MIDDLE[1], -MIDDLE[0]), 32, blue_first.tobytes(), compression=3, head=masks + bytes(68 - 16))
