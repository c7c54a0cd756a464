"""JPEG files whose work is in their markers and scans, written byte by byte (ITU-T T.81)."""

import struct

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
HUFFMAN_TABLE = b"\1" + bytes(15) + b"\0"  # one code of one bit, for the value 0


def segment(marker: int, data: bytes = b"") -> bytes:
    """A marker segment: FF, the marker, the length, the data."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def progressive(scans: int, width: int = 2000, height: int = 2000, components: int = 1, coarse: bool = True) -> bytes:
    """A progressive JPEG of so many scans without data, of the DC coefficients or, not `coarse`, of one AC band."""
    scan = _scan(0, 0, 0) if coarse else _scan(1, 63, 0x01)
    return SOI + _tables() + _frame(0xC2, width, height, components) + _scan(0, 0, 0) + scan * scans + EOI


def exif_segments(number: int) -> bytes:
    """A JPEG of 8 × 8 behind so many empty EXIF segments."""
    return SOI + segment(0xE1, b"Exif\0\0") * number + _small()


def empty_markers(number: int, marker: int = 0xE5) -> bytes:
    """A JPEG of 8 × 8 behind so many segments without data, of 4 bytes each."""
    return SOI + segment(marker) * number + _small()


def bare_markers(number: int) -> bytes:
    """A JPEG of 8 × 8 behind so many markers that have no length, of 2 bytes each."""
    return SOI + b"\xff\xd0" * number + _small()


def photoshop_segments(number: int) -> bytes:
    """A JPEG of 8 × 8 behind so many of Photoshop's segments, each of 1,000 empty resources."""
    resource = b"8BIM" + struct.pack(">HHI", 0x0404, 0, 0)
    return SOI + segment(0xED, b"Photoshop 3.0\0" + resource * 1000) * number + _small()


def baseline(width: int, height: int, components: int = 3) -> bytes:
    """A JPEG of any size in a few hundred bytes: all but its first blocks are missing or zero."""
    return SOI + _tables() + _frame(0xC0, width, height, components) + _all_components(components) + EOI


def _small() -> bytes:
    return baseline(8, 8, 1)[2:]


def _tables() -> bytes:
    huffman = b"".join(bytes([kind]) + HUFFMAN_TABLE for kind in (0x00, 0x10))
    return segment(0xDB, b"\0" + b"\1" * 64) + segment(0xC4, huffman)


def _frame(marker: int, width: int, height: int, components: int) -> bytes:
    each = b"".join(bytes([number, 0x11, 0]) for number in range(1, components + 1))
    return segment(marker, struct.pack(">BHHB", 8, height, width, components) + each)


def _scan(first: int, last: int, approximation: int) -> bytes:
    return segment(0xDA, bytes([1, 1, 0, first, last, approximation]))


def _all_components(components: int) -> bytes:
    each = b"".join(bytes([number, 0]) for number in range(1, components + 1))
    return segment(0xDA, bytes([components]) + each + b"\0\x3f\0") + bytes(8 * components)
