"""PNG files whose work is in their chunks, their height or their texts, written chunk by chunk."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6  # colour types
CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}


def chunk(name: bytes, data: bytes = b"") -> bytes:
    """Length, name, data and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def blank(
    width: int, height: int, colour: int = GRAY, depth: int = 8, *, interlaced: bool = False, chunks: bytes = b""
) -> bytes:
    """An image of zeros of any size; `chunks` stand before its pixels."""
    size = (width * CHANNELS[colour] * depth // 8 + 1) * height
    if interlaced:
        size += size // 2  # more than Adam7's seven passes need
    palette = chunk(b"PLTE", bytes(range(256)) * 3) if colour == PALETTE else b""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    pixels = chunk(b"IDAT", _zeros(size))
    return SIGNATURE + header + palette + chunks + pixels + chunk(b"IEND")


def profiles(number: int) -> bytes:
    """8 × 8 behind so many colour profiles, each of 1 MB when it is decompressed."""
    return blank(8, 8, chunks=chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(1_000_000), 9)) * number)


def texts(number: int, megabytes: float = 1.0) -> bytes:
    """8 × 8 behind so many compressed comments, each of so many MB when it is decompressed."""
    content = zlib.compress(bytes(int(megabytes * 1_000_000)), 9)
    return blank(8, 8, chunks=b"".join(chunk(b"zTXt", b"k%d\0\0" % each + content) for each in range(number)))


def empty_chunks(number: int, name: bytes = b"tEXt") -> bytes:
    """8 × 8 behind so many chunks without data, of 12 bytes each."""
    return blank(8, 8, chunks=chunk(name, b"k\0" if name == b"tEXt" else b"") * number)


def empty_pixel_chunks(number: int) -> bytes:
    """8 × 8 whose pixels begin with so many chunks without data."""
    return blank(8, 8, chunks=chunk(b"IDAT") * number)


def turned(width: int, height: int, colour: int = GRAY_ALPHA, depth: int = 8) -> bytes:
    """An image of zeros with the orientation 6 in its EXIF: it is turned before it is used."""
    exif = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x0112, 3, 1, 6, 0)
    return blank(width, height, colour, depth, chunks=chunk(b"eXIf", exif))


def many_frames(number: int) -> bytes:
    """8 × 8, animated (APNG), of so many frames."""
    frames = (struct.pack(">IIIIIHHBB", each, 8, 8, 0, 0, 1, 10, 0, 0) for each in range(number))
    control = chunk(b"acTL", struct.pack(">II", number, 0))
    return blank(8, 8, chunks=control + b"".join(chunk(b"fcTL", frame) for frame in frames))


def _zeros(size: int) -> bytes:
    """So many zeros, compressed without holding them."""
    compressor = zlib.compressobj(9)
    parts = [compressor.compress(bytes(min(1 << 20, size - start))) for start in range(0, size, 1 << 20)]
    return b"".join([*parts, compressor.flush()])
