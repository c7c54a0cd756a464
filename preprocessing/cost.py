"""What an image file would cost, from its headers alone: the memory and the time of decoding and preparing it.

Nothing is decoded and Pillow is not called: its readers of headers may themselves run for minutes on a hostile file. A
file of an unusual form, or with more parts than a usual one has, gets no estimate.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

from preprocessing.errors import CostlyImage
from preprocessing.profile_cost import profile_seconds

MAX_SECONDS = 0.012  # of CPU for all images of a request: so long do others wait for it
MAX_BYTES = 16 << 20  # of memory while one image is decoded and prepared
MAX_PARTS = 64  # segments or chunks; files have about 10, and Pillow takes microseconds for each
MAX_TAGS = 100  # of EXIF, each of which may name all of its bytes as its value
MAX_INFLATED = 8  # chunks of a PNG with compressed texts, each inflated to 1 MB at most
MAX_COLORS = 256  # of a BMP; Pillow reads more, one by one

# Measured on one core and rounded up; tests/preprocessing/test_cost.py compares them with what decoding takes.
BASE_SECONDS = 3e-5
NS_PIXEL = 10.0  # of changing the color mode and the size
NS_PIXEL_BLENDED = 35.0  # the same of an image with transparency, a palette or 16 bits
NS_ROW = 100.0  # of each row and column
INFLATE_SECONDS = 0.003  # of 1 MB
TAG_SECONDS = 1e-5
BYTES_PIXEL = 24  # of all copies that are held at a time
BYTES_ROW = 48  # of the pointers to their rows

Shape = tuple[int, int, int]  # width, height, channels; 0 channels where they are neither gray nor RGB of 8 bits


class Cost(NamedTuple):
    """The image's shape, the bytes of memory and the seconds of CPU that it would take."""

    shape: Shape
    memory: int
    seconds: float


class CostBudget:
    """What the images of one request may cost together."""

    __slots__ = ("_image_seconds", "_ready", "_seconds")

    def __init__(self, ready: Shape, image_seconds: float) -> None:
        """Preparing an image takes `image_seconds` at least, or no time where it has the shape `ready`."""
        self._ready = ready
        self._image_seconds = image_seconds
        self._seconds = MAX_SECONDS

    def charge(self, content: bytes) -> None:
        """Subtract the cost of an image file; raises CostlyImage where it is unknown or more than is left."""
        cost = estimate(content)
        if cost is None:
            raise CostlyImage("the file has an unusual form")
        shape, memory, seconds = cost
        self._seconds -= seconds if shape == self._ready else seconds + self._image_seconds
        if self._seconds < 0 or memory > MAX_BYTES:
            raise CostlyImage("the image takes much time or memory")


def estimate(content: bytes) -> Cost | None:
    """The cost of an image file, which is small where the file ends within its headers, or is no image.

    None for a file of which the headers do not tell: of an unusual form, or of more parts than a usual one.
    """
    reader = _READERS.get(content[:2], _estimate_other)
    try:
        return reader(content)
    except (IndexError, struct.error):
        return _cost((0, 0, 0), 0.0)


def _cost(shape: Shape, nanoseconds: float, extra_bytes: int = 0) -> Cost:
    """The cost of an image with so many nanoseconds beside those of its rows, and bytes beside those of its pixels."""
    width, height, _ = shape
    sides = width + height
    memory = width * height * BYTES_PIXEL + sides * BYTES_ROW + extra_bytes
    return Cost(shape, memory, (nanoseconds + sides * NS_ROW) * 1e-9 + BASE_SECONDS)


# PNG (W3C, third edition)

_PNG_HEADER = struct.Struct(">8s2I5B")  # length and name of the first chunk, width, height, …
_CHUNK = struct.Struct(">I4s")
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the color type
_INFLATED = frozenset({b"zTXt", b"iTXt", b"iCCP"})
_UNUSUAL = frozenset({b"IHDR", b"acTL", b"fcTL", b"fdAT"})  # a second header; animation


def _estimate_png(content: bytes) -> Cost | None:
    first, width, height, depth, color, _, _, interlaced = _PNG_HEADER.unpack_from(content, 8)
    channels = _PNG_CHANNELS.get(color)
    if first != b"\0\0\0\rIHDR" or channels is None:
        return None
    at, end, inflated, seconds, blended = 33, len(content) - 8, 0, 0.0, color > 2 or depth > 8
    for _ in range(MAX_PARTS):
        if at > end:
            break
        length, name = _CHUNK.unpack_from(content, at)
        if name == b"IEND":
            break
        if name in _UNUSUAL:
            return None
        if name == b"tRNS":
            blended = True
        elif name in _INFLATED:
            inflated += 1
        elif name == b"eXIf":
            seconds += _tag_seconds(content, at + 8)
        at += length + 12
    else:
        return None
    if inflated > MAX_INFLATED:
        return None
    seconds += profile_seconds(content, at, width * height) if inflated else 0.0
    sample_ns = max(1.0, channels * depth / 8) * (5 if interlaced else 3.5)
    nanoseconds = width * height * (sample_ns + (NS_PIXEL_BLENDED if blended else NS_PIXEL)) + len(content) * 3
    shape = (width, height, 0 if blended or depth < 8 else channels)
    return _cost(shape, nanoseconds + (seconds + inflated * INFLATE_SECONDS) * 1e9, inflated << 20)


# JPEG (ITU-T T.81)

_SEGMENT = struct.Struct(">BBH")
_FRAME = struct.Struct(">BHHB")  # precision, height, width, components
_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive
# Other codings, and markers without a length.
_OTHERS = frozenset((*range(0xC0), 0xC3, *range(0xC5, 0xCC), *range(0xCD, 0xDA), 0xFF))
_UNIT = 32  # pixels: the longest side of what is coded as a unit


def _estimate_jpeg(content: bytes) -> Cost | None:
    at, frame, has_exif, progressive, seconds = 2, None, False, False, 0.0
    for _ in range(MAX_PARTS):
        prefix, marker, length = _SEGMENT.unpack_from(content, at)
        if marker == 0xDA:
            break
        if prefix != 0xFF or marker in _OTHERS or (marker == 0xE2 and content[at + 4 : at + 8] == b"MPF\0"):
            return None
        if marker in _FRAMES:
            if frame:
                return None
            frame, progressive = _FRAME.unpack_from(content, at + 4), marker == 0xC2
        elif marker == 0xE1 and content[at + 4 : at + 8] == b"Exif":
            if has_exif:
                return None  # the parts of one are joined, each time from the beginning
            has_exif, seconds = True, seconds + _tag_seconds(content, at + 10)
        elif marker == 0xED:
            seconds += length * 1e-7  # Photoshop's resources, which Pillow reads in Python
        at += length + 2
    else:
        return None
    if frame is None:
        return None
    _, height, width, channels = frame
    scans = content.count(b"\xff\xda", at)
    seconds += profile_seconds(content, at, width * height)
    pixels = _whole_units(width) * _whole_units(height)
    pixel_ns = NS_PIXEL + max(3, channels) * (0.7 + 0.5 * scans)
    nanoseconds = pixels * pixel_ns + len(content) * (25 if progressive else 10) + seconds * 1e9
    coefficients = 2 * channels * pixels if progressive or scans > 1 else 0
    return _cost((width, height, channels), nanoseconds, coefficients)


def _whole_units(length: int) -> int:
    return -(-length // _UNIT) * _UNIT


# EXIF is a directory of TIFF (6.0, section 2)

_DIRECTORIES = {
    b"II*\0": (struct.Struct("<I"), struct.Struct("<H")),
    b"MM\0*": (struct.Struct(">I"), struct.Struct(">H")),
}


def _tag_seconds(content: bytes, at: int) -> float:
    """Seconds that reading an EXIF block takes; infinity for one with more tags than a camera writes."""
    offset_struct, count_struct = _DIRECTORIES.get(content[at : at + 4], (None, None))
    if offset_struct is None or count_struct is None:
        return 0.0
    start = at + int(offset_struct.unpack_from(content, at + 4)[0])
    if start + 2 > len(content):
        return 0.0
    tags = int(count_struct.unpack_from(content, start)[0])
    return tags * TAG_SECONDS if tags <= MAX_TAGS else float("inf")


# GIF (89a)

_SCREEN = struct.Struct("<2HB")  # width, height, flags
_GIF_FRAME = struct.Struct("<4H")  # left, top, width, height


def _estimate_gif(content: bytes) -> Cost | None:
    width, height, flags = _SCREEN.unpack_from(content, 6)
    at, parts = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0), 0
    while parts < MAX_PARTS:
        if content[at] == 0x2C:  # the first image
            left, top, frame_width, frame_height = _GIF_FRAME.unpack_from(content, at + 1)
            width, height = max(width, left + frame_width), max(height, top + frame_height)
            return _cost((width, height, 0), width * height * (7 + NS_PIXEL_BLENDED) + len(content) * 5)
        if content[at] != 0x21:
            return None
        at += 2
        while content[at] and parts < MAX_PARTS:
            at, parts = at + content[at] + 1, parts + 1
        at, parts = at + 1, parts + 1
    return None


# BMP

_BMP_HEADER = struct.Struct("<IiiHHI")  # its size, width, height, planes, bits, compression
_RAW = (0, 3)  # without compression, the second with bit masks


def _estimate_bmp(content: bytes) -> Cost | None:
    size, width, height, _, _, compression = _BMP_HEADER.unpack_from(content, 14)
    if size == 12:
        width, height = struct.unpack_from("<2H", content, 18)
    elif compression not in _RAW or struct.unpack_from("<I", content, 46)[0] > MAX_COLORS:
        return None
    pixels = abs(width * height)
    return _cost((abs(width), abs(height), 0), pixels * (3 + NS_PIXEL_BLENDED), pixels * 4)


# WebP (RFC 9649)

_WEBP_CHUNK = struct.Struct("<4sI")
_BLOCK = 16  # pixels that may share a code
_CODE_BYTES = 12_000  # of the tables of one code of a lossless image


def _estimate_webp(content: bytes) -> Cost | None:
    name, _ = _WEBP_CHUNK.unpack_from(content, 12)
    if name == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<2H", content, 26))
        pixels, codes = width * height, 0
    else:
        if name == b"VP8L":
            (bits,) = struct.unpack_from("<I", content, 21)
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        elif name == b"VP8X":
            width = int.from_bytes(content[24:27], "little") + 1
            height = int.from_bytes(content[27:30], "little") + 1
        else:
            return None
        pixels = width * height
        codes = min(pixels // _BLOCK, len(content) // 2)
    nanoseconds = pixels * (20 + NS_PIXEL_BLENDED) + len(content) * 65
    if name == b"VP8X":
        nanoseconds += profile_seconds(content, len(content), pixels) * 1e9
        nanoseconds = float("inf") if _has_many_chunks(content) else nanoseconds
    return _cost((width, height, 0), nanoseconds, pixels * 24 + codes * _CODE_BYTES)


def _has_many_chunks(content: bytes) -> bool:
    """Whether there are more chunks than in a still image, or frames of an animation."""
    at = 12
    for _ in range(MAX_PARTS // 4):
        if at + 8 > len(content):
            return False
        name, length = _WEBP_CHUNK.unpack_from(content, at)
        if name in (b"ANIM", b"ANMF") or (name == b"EXIF" and _tag_seconds(content, at + 8) > MAX_SECONDS):
            return True
        at += 8 + length + length % 2
    return True


def _estimate_other(content: bytes) -> Cost | None:
    """The cost of bytes that no decoder takes; nothing for AVIF: boxes in boxes say little of what is coded."""
    return None if content[4:8] == b"ftyp" else _cost((0, 0, 0), 0.0)


def _estimate_tiff(_: bytes) -> None:
    """Nothing: a directory has any number of tags, strips and tiles, and they may be anywhere in the file."""


_READERS: dict[bytes, Callable[[bytes], Cost | None]] = {
    b"\x89P": _estimate_png,
    b"\xff\xd8": _estimate_jpeg,
    b"GI": _estimate_gif,
    b"RI": _estimate_webp,
    b"BM": _estimate_bmp,
    b"II": _estimate_tiff,
    b"MM": _estimate_tiff,
}
