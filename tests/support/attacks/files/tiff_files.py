"""TIFF files whose work is in strips, tags or what the decoder says, written tag by tag (TIFF 6.0)."""

import struct
import zlib
from collections.abc import Sequence

SHORT, LONG, UNDEFINED = 3, 4, 7
SIZES = {SHORT: 2, LONG: 4, UNDEFINED: 1}
RAW, FAX3, FAX4, LZW, DEFLATE, PACKBITS = 1, 3, 4, 5, 8, 32773

Field = tuple[int, int, int, int]  # tag, type, number of values, the value or where they are


def directory(fields: Sequence[Field]) -> bytes:
    """An image file directory."""
    rows = b"".join(struct.pack("<HHII", *field) for field in sorted(fields))
    return struct.pack("<H", len(fields)) + rows + bytes(4)


def strips(number: int) -> bytes:
    """1 × `number` pixels without compression, each row in a strip of its own, all of which are in one place."""
    fields = [*_image(1, number, RAW), (278, LONG, 1, 1), (273, SHORT, number, 200), (279, SHORT, number, 200)]
    return _file(fields, bytes(2 * number + 200))


def fax(height: int, width: int = 8, coding: int = FAX3) -> bytes:
    """A fax of 16 MB in whose rows the decoder meets code words that do not exist."""
    content = (b"\x00\x18\x01" if coding == FAX3 else b"\x55") * (16_000_000 // (3 if coding == FAX3 else 1))
    return _file([*_image(width, height, coding, bits=1), *_strip(len(content), height)], content)


def compressed(width: int, height: int, bits: int = 8, samples: int = 1, sample_format: int = 1) -> bytes:
    """An image of zeros in one strip; the sample format 3 is for floating point."""
    content = zlib.compress(bytes(width * height * samples * bits // 8), 9)
    more = [(277, SHORT, 1, samples), (339, SHORT, 1, sample_format), *_strip(len(content), height)]
    fields = [field for field in _image(width, height, DEFLATE, bits) if field[0] != 277]
    if samples > 2:  # one number of bits a sample, and RGB
        rgb = {258: (258, SHORT, samples, 8 + 2 + 12 * (len(fields) + len(more)) + 4), 262: (262, SHORT, 1, 2)}
        fields = [rgb.get(field[0], field) for field in fields]
        depths = struct.pack(f"<{samples}H", *[bits] * samples)
        return _file([*fields, *more], content, depths)
    return _file([*fields, *more], content)


def tags(number: int, size: int = 65_000) -> bytes:
    """8 × 8 with so many unknown tags, each of which names the same `size` bytes."""
    fields = [*_image(8, 8, RAW), *_strip(64, 8)]
    unknown = [(40_000 + each, UNDEFINED, size, 8) for each in range(number)]
    return _file([*fields, *unknown], bytes(size))


def tiles(side: int, width: int, height: int) -> bytes:
    """Without compression, in tiles of side × side that are all in one place."""
    number = -(-width // side) * -(-height // side)
    fields = [*_image(width, height, RAW), (322, LONG, 1, side), (323, LONG, 1, side)]
    content = bytes(max(side * side, 2 * number) + 200)
    return _file([*fields, (324, SHORT, number, 200), (325, SHORT, number, 200)], content)


def _image(width: int, height: int, compression: int, bits: int = 8) -> list[Field]:
    described = [(256, LONG, 1, width), (257, LONG, 1, height), (258, SHORT, 1, bits), (259, SHORT, 1, compression)]
    return [*described, (262, SHORT, 1, 1), (277, SHORT, 1, 1)]


def _strip(size: int, rows: int) -> list[Field]:
    return [(273, LONG, 1, 0), (278, LONG, 1, rows), (279, LONG, 1, size)]


def _placed(fields: Sequence[Field], before: int = 0) -> list[Field]:
    """The fields with the places of what follows the directory: a strip, or the values of the tag."""
    start = 8 + 2 + 12 * len(fields) + 4 + before
    return [(tag, kind, count, start if tag == 273 and not value else value) for tag, kind, count, value in fields]


def _file(fields: Sequence[Field], content: bytes, before: bytes = b"") -> bytes:
    return b"II*\0" + struct.pack("<I", 8) + directory(_placed(fields, len(before))) + before + content
