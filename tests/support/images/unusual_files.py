"""Unusual and malicious image files: every format, color mode and shape that a client may send."""

import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from preprocessing import decode
from tests.support.images.drawn import as_file

Pixels = NDArray[Any]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
FORMATS = tuple(str(form.plugin.format) for form in decode.FORMATS)  # as Pillow names them
# EXIF 2.32, tag 0x0112: how an upright image is turned before it is stored under each orientation.
STORED: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


def gradient(height: int = 28, width: int = 28) -> NDArray[np.uint8]:
    """Gray, dark in the top left corner and light in the bottom right one: no two corners alike."""
    return np.add.outer(np.linspace(0, 170, height), np.linspace(0, 85, width)).astype(np.uint8)


def photograph(height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """Colours that change smoothly, with a noisy band, so that no compressor is idle."""
    rgb = np.dstack([gradient(height, width), gradient(height, width)[::-1], gradient(height, width)[:, ::-1]])
    rgb[height // 3 : height // 2] = np.random.default_rng(0).integers(0, 256, rgb[height // 3 : height // 2].shape)
    return rgb


def file_of(image: Image.Image | Pixels, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of an image file; `kind` is one of Pillow's names, `options` go to its writer."""
    whole = image if isinstance(image, Image.Image) else Image.fromarray(np.ascontiguousarray(image))
    return as_file(whole, kind, **options)


def truncated(content: bytes, share: float = 0.6) -> bytes:
    """As an upload that was cut off leaves it."""
    return content[: int(len(content) * share)]


def transparent_png(colour: tuple[int, int, int], opacity: NDArray[np.uint8]) -> bytes:
    """One colour, as opaque as `opacity` [height, width] says."""
    painted = np.broadcast_to(np.array(colour, np.uint8), (*opacity.shape, 3))
    return file_of(np.dstack([painted, opacity]))


def palette_png(gray: NDArray[np.uint8], transparency: int | bytes | None = None) -> bytes:
    """Gray levels as a palette's indices; `transparency` is one index, or an opacity for each."""
    image = Image.fromarray(gray, "L").convert("P")
    return file_of(image) if transparency is None else file_of(image, transparency=transparency)


def oriented_jpeg(upright: Pixels, orientation: int) -> bytes:
    """Stored as a camera held that way stores it, with the orientation in its EXIF."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return file_of(STORED[orientation](upright), "JPEG", exif=exif, quality=95)


def animated_gif(*frames: NDArray[np.uint8]) -> bytes:
    first, *others = [Image.fromarray(frame) for frame in frames]
    return file_of(first, "GIF", save_all=True, append_images=others, duration=40)


def gif_on_larger_canvas(frame: Image.Image, canvas: tuple[int, int], at: tuple[int, int]) -> bytes:
    """A GIF whose one frame lies at a place of a larger canvas."""
    content = bytearray(as_file(frame, "GIF", interlace=0))
    content[6:10] = struct.pack("<2H", *canvas)
    place = content.rindex(b"\x2c" + struct.pack("<4H", 0, 0, *frame.size))
    content[place + 1 : place + 5] = struct.pack("<2H", *at)
    return bytes(content)


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """A few hundred bytes that claim 2.5 billion pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return PNG_SIGNATURE + header + png_chunk(b"IDAT", zlib.compress(bytes(100_000))) + png_chunk(b"IEND", b"")


def png_with_text_bomb(megabytes: int = 100) -> bytes:
    """A PNG of 28 × 28 with a compressed comment that decompresses to that much."""
    whole = file_of(gradient())
    header = len(PNG_SIGNATURE) + 25
    remark = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(megabytes << 20), 9))
    return whole[:header] + remark + whole[header:]


def tiff_with_huge_tile(side: int = 12_000) -> bytes:
    """A TIFF of 1 × 1 in one tile that needs side² bytes of memory."""
    fields = {256: 1, 257: 1, 258: 8, 259: 8, 262: 1, 277: 1, 322: side, 323: side, 324: 134, 325: 100}
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields.items())
    return b"II*\0" + struct.pack("<IH", 8, len(fields)) + rows + bytes(4) + zlib.compress(bytes(100_000))


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """The same file, damaged: bytes changed, cut off, left out, doubled, or a run of them set to 255."""
    damaged = bytearray(content)
    for _ in range(int(rng.integers(1, 6))):
        at, length = int(rng.integers(len(damaged) + 1)), int(rng.integers(1, 9))
        match rng.integers(7):
            case 0 | 1 | 2:
                damaged[at : at + length] = rng.bytes(len(damaged[at : at + length]))
            case 3:
                damaged[at : at + length] = b"\xff" * length
            case 4:
                del damaged[at : at + length]
            case 5:
                damaged[at:at] = damaged[at : at + length * 4]
            case _:
                del damaged[max(at, len(damaged) // 2) :]
    return bytes(damaged)
