"""What the color profiles (ICC.1) in an image file would cost, from their bytes alone, as `preprocessing.cost` does it.

Every place that may be a profile counts, so that none hides behind what only looks like one.
"""

import re
import zlib
from collections.abc import Callable, Iterator

MAX_PROFILE = 8192  # bytes; cameras' and screens' have 500 to 4,000
MAX_PLACES = 64  # JPEG's segments of one profile, or what looks like them
PROFILE_SECONDS = 0.006  # of making a conversion from curves and a matrix; from tables of colors it takes 0.04
NS_PIXEL = 25.0  # of converting
SRGB_SECONDS = 0.001  # of finding that there is nothing to convert

_TABLES = re.compile(rb"[AD]2B|B2[AD]")  # tags
_SRGB = re.compile(rb"s\0?R\0?G\0?B")  # the name, which stands in the description


def profile_seconds(content: bytes, end: int, pixels: int) -> float:
    """Seconds of CPU for the profiles that begin before `end`; infinity where that cannot be told.

    A profile that says that it is sRGB counts as one; if that is untrue it takes 20 ms, for many pixels are averaged
    before they are converted (`preprocessing.profiles.MANAGED_PIXELS`).
    """
    signature, read = _READERS[content[:2]]
    if content.find(signature, 0, end) < 0:
        return 0.0
    places = [match.start() for match, _ in zip(re.finditer(signature, content[:end]), range(MAX_PLACES), strict=False)]
    if len(places) == MAX_PLACES:
        return float("inf")
    return sum(_seconds(profile, pixels) for profile in read(content, places))


def _seconds(profile: bytes, pixels: int) -> float:
    if len(profile) > MAX_PROFILE or _TABLES.search(profile):
        return float("inf")
    return SRGB_SECONDS if _SRGB.search(profile) else PROFILE_SECONDS + pixels * NS_PIXEL * 1e-9


def _read_png(content: bytes, places: list[int]) -> Iterator[bytes]:
    for at in places:
        length = int.from_bytes(content[at - 4 : at])
        yield _inflate(content[at + 4 : at + 4 + length])


def _inflate(chunk: bytes) -> bytes:
    """A profile behind its name, at most a byte more than is looked at; what cannot be inflated is none."""
    try:
        return zlib.decompressobj().decompress(chunk[chunk.index(b"\0") + 2 :], MAX_PROFILE + 1)
    except (ValueError, zlib.error):
        return b""


def _read_jpeg(content: bytes, places: list[int]) -> Iterator[bytes]:
    parts = (content[at + 14 : at - 2 + int.from_bytes(content[at - 2 : at])] for at in places)
    yield b"".join(parts)


def _read_webp(content: bytes, places: list[int]) -> Iterator[bytes]:
    for at in places:
        yield content[at + 8 : at + 8 + int.from_bytes(content[at + 4 : at + 8], "little")]


_READERS: dict[bytes, tuple[bytes, Callable[[bytes, list[int]], Iterator[bytes]]]] = {
    b"\x89P": (b"iCCP", _read_png),
    b"\xff\xd8": (b"ICC_PROFILE\0", _read_jpeg),
    b"RI": (b"ICCP", _read_webp),
}
