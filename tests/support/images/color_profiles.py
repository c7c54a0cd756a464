"""Color profiles (ICC.1:2010), made tag by tag: of screens, of cameras, of gray scanners, of a printing press."""

import itertools
import struct
from collections.abc import Callable, Mapping


def _numbers(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + _numbers(*values)


def _gamma(exponent: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(exponent * 256))


def _text(text: str) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text.encode() + bytes(79)


_SRGB_CURVE = b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + _numbers(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_WHITE = _xyz(0.9642, 1, 0.8249)


def profile(name: str, tags: Mapping[bytes, bytes], space: bytes = b"RGB ", connection: bytes = b"XYZ ") -> bytes:
    """A profile of a color space, version 4."""
    whole = {b"desc": _text(name), b"wtpt": _WHITE, **tags}
    at, table, content = 132 + 12 * len(whole), b"", b""
    for tag, value in whole.items():
        table += struct.pack(">4sII", tag, at + len(content), len(value))
        content += value + bytes(-len(value) % 4)
    kinds = struct.pack(">4sI4s4s4s", b"test", 0x04000000, b"mntr", space, connection)
    head = struct.pack(">I", at + len(content)) + kinds + struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    return head + _numbers(0.9642, 1, 0.8249) + bytes(48) + struct.pack(">I", len(whole)) + table + content


def matrix_profile(name: str, primaries: tuple[tuple[float, ...], ...], curve: bytes) -> bytes:
    tags = {f"{channel}XYZ".encode(): _xyz(*primary) for channel, primary in zip("rgb", primaries, strict=True)}
    return profile(name, {**tags, **{f"{channel}TRC".encode(): curve for channel in "rgb"}})


def gray_profile(exponent: float) -> bytes:
    return profile("Gray", {b"kTRC": _gamma(exponent)}, b"GRAY")


def table_profile(name: str, space: bytes, points: int, color: Callable[..., tuple[int, int, int]]) -> bytes:
    """A profile that is a table of colors in CIE L*a*b*, with so many points for each channel."""
    channels = len(space.strip())
    same = bytes(range(256))
    grid = itertools.product(range(points), repeat=channels)
    colors = b"".join(bytes(color(*(level / (points - 1) for level in levels))) for levels in grid)
    head = b"mft1\0\0\0\0" + bytes((channels, 3, points, 0)) + _numbers(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return profile(name, {b"A2B0": head + same * channels + colors + same * 3}, space, b"Lab ")


# The primaries as the profiles of Apple and Adobe have them, relative to D50.
P3_PRIMARIES = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
ADOBE_PRIMARIES = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
SRGB_PRIMARIES = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141))
DISPLAY_P3 = matrix_profile("Display P3", P3_PRIMARIES, _SRGB_CURVE)
ADOBE_RGB = matrix_profile("Adobe RGB (1998)", ADOBE_PRIMARIES, _gamma(563 / 256))
SRGB = matrix_profile("sRGB IEC61966-2.1", SRGB_PRIMARIES, _SRGB_CURVE)
INKS = table_profile(
    "Press", b"CMYK", 5, lambda c, m, y, k: (int(255 * (1 - k) * (1 - 0.3 * c - 0.4 * m)), 128, 128 + int(99 * (y - c)))
)
TABLE_RGB = table_profile("Scanner", b"RGB ", 9, lambda r, g, b: (int(85 * (r + g + b)), 128, 128))
