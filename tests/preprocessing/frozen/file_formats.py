"""Image files of every format, color mode and depth of samples."""

import struct
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.preprocessing.frozen import encoders
from tests.preprocessing.frozen.contracts import MIDDLE, Files, painted, saved
from tests.preprocessing.frozen.encoders import animated, bmp, palette, png, tiff, tiff_fields, ycck
from tests.preprocessing.frozen.patterns import color, gray, noise, opacity, wide
from tests.support.images.color_profiles import ADOBE_RGB, DISPLAY_P3, INKS, SRGB, gray_profile


def list_formats() -> Files:
    """Every format in its usual colors, and in the forms that its writers have."""
    photo = partial(saved, color(*MIDDLE))
    frames = [color(*MIDDLE, seed) for seed in (1, 2)]
    return {
        "PNG": partial(photo, "PNG"),
        "PNG animated": partial(animated, frames, "PNG"),
        "JPEG": partial(photo, "JPEG", quality=90),
        "JPEG progressive": partial(photo, "JPEG", quality=80, progressive=True),
        "JPEG with full colors": partial(photo, "JPEG", quality=85, subsampling="4:4:4"),
        "JPEG with colors halved across": partial(photo, "JPEG", quality=85, subsampling="4:2:2"),
        "JPEG that stores RGB": partial(photo, "JPEG", quality=85, keep_rgb=True),
        "JPEG of several pictures": partial(animated, frames, "MPO"),
        "WebP lossy": partial(photo, "WEBP", quality=80),
        "WebP lossless": partial(photo, "WEBP", lossless=True),
        "WebP animated": partial(animated, frames, "WEBP", lossless=True),
        "AVIF": partial(photo, "AVIF", quality=80),
        "AVIF animated": partial(animated, frames, "AVIF", quality=90),
        "BMP": partial(photo, "BMP"),
        "GIF": partial(saved, gray(*MIDDLE), "GIF"),
        "GIF in colors": partial(photo, "GIF", mode="P"),
        "GIF without interlace": partial(saved, gray(*MIDDLE), "GIF", interlace=0),
        "GIF animated": partial(animated, [gray(*MIDDLE, seed) for seed in (1, 2)], "GIF"),
        "GIF smaller than its screen": _gif_on_a_larger_screen,
        **{
            f"TIFF, {compression}": partial(photo, "TIFF", compression=compression)
            for compression in ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "jpeg")
        },
        "TIFF in a tile larger than the picture": _tiff_in_a_tile,
    }


def list_bits() -> Files:
    """Samples of fewer than 8 bits, and those packed in other ways."""
    indices = {depth: noise(*MIDDLE, depth) >> (8 - depth) for depth in (1, 2, 4, 8)}
    return {
        **{f"PNG gray of {depth} bits": partial(png, indices[depth], encoders.GRAY, depth) for depth in (1, 2, 4)},
        **{
            f"PNG palette of {depth} bits": partial(png, indices[depth], encoders.PALETTE, depth, palette(1 << depth))
            for depth in indices
        },
        "TIFF of 1 bit, raw": partial(saved, gray(*MIDDLE), "TIFF", "1"),
        "TIFF of 1 bit, group4": partial(saved, gray(*MIDDLE), "TIFF", "1", compression="group4"),
        "BMP of 1 bit": partial(saved, gray(*MIDDLE), "BMP", "1"),
        "BMP gray": partial(saved, gray(*MIDDLE), "BMP"),
        "BMP palette": partial(saved, color(*MIDDLE), "BMP", "P"),
        "BMP of 16 bits a pixel": partial(bmp, (16, 12), 16, noise(12, 32).tobytes()),
        "BMP of 5, 6 and 5 bits": _bmp_with_masks,
        "BMP from the top": partial(bmp, (16, -12), 24, noise(12, 48).tobytes()),
        "BMP in runs": _bmp_in_runs,
        "BMP with OS/2's header": _bmp_of_os2,
    }


def list_modes() -> Files:
    """Other color modes of 8 bits."""
    photo, dull = color(*MIDDLE), gray(*MIDDLE)
    inverse = tiff(tiff_fields(dull.shape, 8, 0), dull.tobytes())
    return {
        "PNG gray": partial(saved, dull, "PNG"),
        "PNG gray and alpha": partial(saved, np.dstack([dull, noise(*MIDDLE)]), "PNG"),
        "PNG opaque RGBA": partial(saved, photo, "PNG", "RGBA"),
        "JPEG gray": partial(saved, dull, "JPEG", quality=90),
        "JPEG CMYK": partial(saved, photo, "JPEG", "CMYK", quality=90),
        "JPEG YCCK": lambda: ycck(Image.fromarray(photo)),
        "JPEG of Display P3": partial(saved, photo, "JPEG", quality=90, icc_profile=DISPLAY_P3),
        "JPEG of inks with a profile": partial(saved, photo, "JPEG", "CMYK", quality=90, icc_profile=INKS),
        "PNG of Adobe RGB": partial(saved, photo, "PNG", icc_profile=ADOBE_RGB),
        "PNG gray, as bright as the numbers": partial(saved, dull, "PNG", icc_profile=gray_profile(1.0)),
        "PNG that says it is sRGB": partial(saved, photo, "PNG", icc_profile=SRGB),
        "WebP gray": partial(saved, dull, "WEBP", lossless=True),
        "TIFF gray": partial(saved, dull, "TIFF"),
        "TIFF where white is zero": lambda: inverse,
        "TIFF palette": partial(saved, photo, "TIFF", "P"),
        "TIFF CMYK": partial(saved, photo, "TIFF", "CMYK"),
        "TIFF LAB": partial(saved, photo, "TIFF", "LAB"),
        "TIFF YCbCr": partial(saved, photo, "TIFF", "YCbCr"),
        "TIFF RGBA": partial(saved, painted(photo), "TIFF"),
        "TIFF gray and alpha": partial(saved, np.dstack([dull, opacity(*MIDDLE)]), "TIFF"),
        "TIFF with gray times alpha": _tiff_with_gray_times_alpha,
        "TIFF with colors times alpha": _tiff_with_colors_times_alpha,
    }


def list_deep() -> Files:
    """Samples of more than 8 bits, whole numbers and floats."""
    deep = wide(*MIDDLE)
    many = np.dstack([wide(*MIDDLE, seed) for seed in range(4)])
    fractions = (deep.astype(np.float32) / np.float32(65536)).astype(np.float32)
    order = tiff(tiff_fields(deep.shape, 16, 1), deep.astype(">u2").tobytes(), ">")
    signed = tiff(tiff_fields(deep.shape, 16, 1, tag339=(2,)), (deep.astype(np.int64) - 9000).astype("<i2").tobytes())
    inverse = tiff(tiff_fields(deep.shape, 16, 0), deep.tobytes())
    rgb = tiff(tiff_fields((*MIDDLE, 3), 16, 2), many[..., :3].astype("<u2").tobytes())
    transparent = (b"tRNS", int(deep[5, 7]).to_bytes(2, "big"))
    return {
        "PNG gray of 16 bits": partial(png, deep, encoders.GRAY, 16),
        "PNG gray of 16 bits, dark": partial(png, deep // 97, encoders.GRAY, 16),
        "PNG gray of 16 bits with a transparent level": partial(png, deep, encoders.GRAY, 16, transparent),
        "PNG gray and alpha of 16 bits": partial(png, many[..., :2], encoders.GRAY_ALPHA, 16),
        "PNG RGB of 16 bits": partial(png, many[..., :3], encoders.RGB, 16),
        "PNG RGBA of 16 bits": partial(png, many, encoders.RGBA, 16),
        "TIFF of 16 bits": partial(saved, deep, "TIFF"),
        "TIFF of 16 bits, deflated": partial(saved, deep, "TIFF", compression="tiff_adobe_deflate"),
        "TIFF of 16 bits, high byte first": lambda: order,
        "TIFF of 16 bits where white is zero": lambda: inverse,
        "TIFF of 16 bits with a sign": lambda: signed,
        "TIFF RGB of 16 bits": lambda: rgb,
        "TIFF of 32 bits": partial(saved, deep.astype(np.int32), "TIFF"),
        "TIFF of 32 bits that are bytes": partial(saved, gray(*MIDDLE).astype(np.int32), "TIFF"),
        "TIFF of 32 bits, larger than 65535": partial(saved, deep.astype(np.int32) * 30_000, "TIFF"),
        "TIFF of fractions": partial(saved, fractions, "TIFF"),
        "TIFF of floats up to 255": partial(saved, fractions * 255, "TIFF"),
        "TIFF of floats below zero": partial(saved, fractions * 7 - 3, "TIFF"),
        "TIFF of floats, some of them no numbers": partial(saved, _with_gaps(fractions), "TIFF"),
    }


def _with_gaps(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    gaps = samples.copy()
    gaps[3, 4:9], gaps[5, 4:9], gaps[7, 4:9] = np.nan, np.inf, -np.inf
    return gaps


def _gif_on_a_larger_screen() -> bytes:
    content = bytearray(saved(gray(*MIDDLE), "GIF"))
    content[6:10] = bytes((60, 0, 50, 0))
    return bytes(content)


def _tiff_in_a_tile() -> bytes:
    tile = gray(48, 64)
    fields = tiff_fields(MIDDLE, 8, 1, tag322=(64,), tag323=(48,))
    return tiff({tag: values for tag, values in fields.items() if tag != 278}, tile.tobytes(), where=(324, 325))


def _tiff_with_colors_times_alpha() -> bytes:
    clear = opacity(*MIDDLE)
    photo = (color(*MIDDLE).astype(np.int64) * clear[..., None] // 255).astype(np.uint8)
    painted = np.dstack([photo, clear])
    return tiff(tiff_fields(painted.shape, 8, 2, tag338=(1,)), painted.tobytes())


def _tiff_with_gray_times_alpha() -> bytes:
    clear = opacity(*MIDDLE)
    dull = (gray(*MIDDLE).astype(np.int64) * clear // 255).astype(np.uint8)
    return tiff(tiff_fields((*MIDDLE, 2), 8, 1, tag338=(1,)), np.dstack([dull, clear]).tobytes())


def _bmp_with_masks() -> bytes:
    masks = b"".join(mask.to_bytes(4, "little") for mask in (0xF800, 0x07E0, 0x001F))
    return bmp((16, 12), 16, noise(12, 32).tobytes(), compression=3, masks=masks)


def _bmp_of_os2() -> bytes:
    pixels = noise(12, 48).tobytes()
    return b"BM" + struct.pack("<IHHIIHHHH", 26 + len(pixels), 0, 0, 26, 12, 16, 12, 1, 24) + pixels


def _bmp_in_runs() -> bytes:
    runs = b"".join(bytes((6, 7 * row, 10, 255 - 9 * row)) + b"\0\0" for row in range(12)) + b"\0\1"
    levels = b"".join(bytes((n, 255 - n, n * 3 % 256, 0)) for n in range(256))
    return bmp((16, 12), 8, runs, compression=1, masks=levels)
