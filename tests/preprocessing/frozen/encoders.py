"""Image files of kinds that Pillow does not write, made byte by byte, and those that it does."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.support.images.unusual_files import PNG_SIGNATURE, STORED, file_of, png_chunk

ORIENTATION = 0x0112  # the EXIF tag
GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6  # PNG's color types
SAMPLES = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}

Samples = NDArray[Any]  # [height, width] or [height, width, channels]


def png(samples: Samples, kind: int, depth: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of a color type and a bit depth, with `chunks` before its pixels."""
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    rows = b"".join(b"\0" + _packed(row.reshape(-1), depth) for row in samples)
    middle = b"".join(png_chunk(name, data) for name, data in chunks)
    pixels = png_chunk(b"IDAT", zlib.compress(rows))
    return PNG_SIGNATURE + png_chunk(b"IHDR", header) + middle + pixels + png_chunk(b"IEND", b"")


def palette(colors: int) -> tuple[bytes, bytes]:
    """A palette chunk whose colors are all different."""
    levels = [(n * 255 // max(1, colors - 1), n * 37 % 256, 255 - n * 91 % 256) for n in range(colors)]
    return b"PLTE", bytes(level for each in levels for level in each)


def tiff(
    fields: Mapping[int, Sequence[int]], data: bytes, order: str = "<", where: tuple[int, int] = (273, 279)
) -> bytes:
    """A TIFF of one strip or tile, without compression; `where` are the tags of its offset and its length."""
    entries: dict[int, Sequence[int]] = dict(sorted({**fields, where[0]: (0,), where[1]: (len(data),)}.items()))
    behind = 8 + 2 + 12 * len(entries) + 4
    entries[where[0]] = (behind + sum(4 * len(values) for values in entries.values() if len(values) > 1),)
    rows, extra = b"", b""
    for tag, values in entries.items():
        packed = struct.pack(f"{order}{len(values)}I", *values)
        content = packed if len(values) == 1 else struct.pack(f"{order}I", behind + len(extra))
        extra += b"" if len(values) == 1 else packed
        rows += struct.pack(f"{order}HHI", tag, 4, len(values)) + content
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(entries))
    return start + rows + bytes(4) + extra + data


def tiff_fields(shape: tuple[int, ...], bits: int, photometric: int, **more: Sequence[int]) -> dict[int, Sequence[int]]:
    """The fields that every TIFF has; `more` are others, named tag338 and so on."""
    height, width, channels = (*shape, 1)[:3]
    fields: dict[int, Sequence[int]] = {256: (width,), 257: (height,), 258: (bits,) * channels, 259: (1,)}
    fields |= {262: (photometric,), 277: (channels,), 278: (height,)}
    return fields | {int(name.removeprefix("tag")): values for name, values in more.items()}


def bmp(
    size: tuple[int, int], bits: int, data: bytes, *, compression: int = 0, head: bytes = b"", masks: bytes = b""
) -> bytes:
    """A BMP; `size` is width and height, negative for rows from the top; `head` lengthens its header."""
    info = struct.pack("<IiiHHIIiiII", 40 + len(head), *size, 1, bits, compression, len(data), 2835, 2835, 0, 0)
    start = 14 + len(info) + len(head) + len(masks)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + info + head + masks + data


def oriented(upright: NDArray[np.uint8], orientation: int, kind: str, **options: Any) -> bytes:
    """Stored as a camera held that way stores it, and saying so in its EXIF."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return file_of(STORED[orientation](upright), kind, exif=exif, **options)


def animated(frames: Sequence[Samples], kind: str, **options: Any) -> bytes:
    """Several frames in one file."""
    first, *others = [Image.fromarray(frame) for frame in frames]
    return file_of(first, kind, save_all=True, append_images=others, duration=40, **options)


def ycck(image: Image.Image) -> bytes:
    """A JPEG whose four channels are said to be YCCK, as Adobe writes them."""
    content = file_of(image.convert("CMYK"), "JPEG", quality=90)
    marker = content.index(b"Adobe")
    return content[: marker + 11] + b"\x02" + content[marker + 12 :]


def _packed(samples: Samples, depth: int) -> bytes:
    """One row of samples, most significant bit first, filled up to whole bytes."""
    if depth == 16:
        return samples.astype(">u2").tobytes()
    shifts = np.arange(depth - 1, -1, -1)
    return np.packbits((samples.astype(np.int64)[:, None] >> shifts & 1).astype(np.uint8)).tobytes()
