"""What is wrong with a file that could not be decoded: it ends early, is a variant that is not supported, or damaged.

Libraries' own words stay inside: they name no remedy, and some are unfinished formats ("%.*s"). Only their kind counts.
"""

import io
import re
import struct

from preprocessing.errors import DamagedImage, InvalidImage, TruncatedImage, UnsupportedVariant

_JPEG_SEGMENT = struct.Struct(">BBHB")  # and of a frame's the precision
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_HIERARCHICAL = frozenset({0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF})
_JPEG_LS = 0xF7
_BMP_HEADER = struct.Struct("<IiiHHI")  # its size, width, height, planes, bits, compression
_BMP_HEADERS = range(12, 125)  # bytes
_BMP_BITS = (1, 2, 4, 8, 16, 24, 32, 64)
# How Pillow says of a TIFF or an AVIF that it does not know the form; a number alone is that of a TIFF's compression.
_UNSUPPORTED = re.compile(
    r"unknown pixel mode|^\d+$|not yet supported|unsupported|not implemented|no codec", re.IGNORECASE
)


def diagnose(content: bytes, stream: io.BytesIO, error: BaseException) -> InvalidImage:
    """The error for a file whose decoder, having read `stream`, failed with `error`."""
    variant = _find_variant(content, str(error))
    if variant:
        return UnsupportedVariant(f"{variant} is not supported")
    if _ends_early(content, stream, error):
        return TruncatedImage(f"the image ends early, after {len(content)} bytes")
    return DamagedImage("the image is damaged and cannot be decoded")


def _ends_early(content: bytes, stream: io.BytesIO, error: BaseException) -> bool:
    """Whether the decoder asked for more than there was; two take all at once, but their headers say how many."""
    if content.startswith(b"RIFF"):
        return len(content) < int.from_bytes(content[4:8], "little") + 8
    if content[4:8] == b"ftyp":
        return _end_of_boxes(content) > len(content)
    return "truncated" in str(error).lower() or stream.closed or stream.tell() >= len(content)


def _end_of_boxes(content: bytes) -> int:
    """Where the last box that begins in an AVIF file ends, or would end (ISO/IEC 14496-12, 4.2)."""
    at = 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4])
        if size == 1:
            size = int.from_bytes(content[at + 8 : at + 16])
        at = at + size if size >= 8 else len(content)  # 0: to the end of the file
    return at


def _find_variant(content: bytes, reason: str) -> str:
    """The name of the variant of its format that the file has and Pillow does not read; "" where there is none."""
    try:
        if content.startswith(b"\xff\xd8"):
            return _find_jpeg_variant(content)
        if content.startswith(b"BM") and reason.startswith("Unsupported BMP"):
            return _find_bmp_variant(content)
    except struct.error:
        return ""
    if content[12:16] == b"CgBI":
        return "PNG as Xcode rewrites it for iPhones (CgBI)"
    is_unsupported = _UNSUPPORTED.search(reason) is not None
    if is_unsupported and content.startswith((b"II", b"MM")):
        return "TIFF of this compression or kind of samples"
    return "AVIF of this kind" if is_unsupported and content[4:8] == b"ftyp" else ""


def _find_jpeg_variant(content: bytes) -> str:
    at = 2
    while True:
        prefix, marker, length, precision = _JPEG_SEGMENT.unpack_from(content, at)
        if prefix != 0xFF or marker == 0xDA:
            return ""
        if marker == _JPEG_LS:
            return "JPEG-LS"
        if marker in _HIERARCHICAL:
            return "hierarchical JPEG"
        if marker in _JPEG_FRAMES:
            return f"JPEG of {precision} bits" if precision in range(2, 17) and precision != 8 else ""
        at += 1 if marker == 0xFF else length + 2


def _find_bmp_variant(content: bytes) -> str:
    size, _, _, _, bits, compression = _BMP_HEADER.unpack_from(content, 14)
    if size not in _BMP_HEADERS:
        return ""
    if size not in (12, 40, 52, 56, 64, 108, 124):
        return f"BMP with a header of {size} bytes"
    if size == 12:
        (bits,), compression = struct.unpack_from("<H", content, 24), 0
    if bits not in _BMP_BITS:
        return ""
    if bits in (2, 64):
        return f"BMP of {bits} bits"
    return "BMP with these bit masks or this compression" if compression in range(1, 7) else ""
