"""AVIF, WebP, GIF and BMP files that claim or cost far more than their bytes."""

import base64
import random
import struct
import zlib

# One colour, 7000 × 7000 pixels, deflated. Pillow's writer takes seconds for it.
_AVIF = (
    "c-muNU{FXasVqn=%S>Yc0uY^>nP!-"
    "qnV9D5Xy^nKdYzkElE?r7iWw<6MNl?FL1uCZ0~+8f$SlbPvlxL`E;A=T8N_h`@fjhajKT~IOfP|Kjm*rvG`LzRASaax%1bOWFm%q($p_n&m03_!0"
    "HnP$3zGAJv`A)gK`O*L=?DmB5Gcs3$OMTnb8v6~DW1eKL+3_$9*~f5a(+%xUUE(a&}3c)wg#Y(cxFK^%uhgvu`n_<vjAQ7F*hZ#M2LZlTmG}z`mJ"
    "Rh92q7GM%P&-"
    "T#mQ5r803S%yR^)4?lk{aIMjtqy>fgCfk3=es*ke`hP1VusIOuxF1=eKTDJ4g*E@Y)XU#$f6+=a&s+0}$VY{1HYZr}ZY6Z@65Vo*Nn(rn#^BC<9("
    "8TIWgqbbY>eI%SI@hmA>#bGh;n9mzlKDex|gs03XXY9zBeb**2um2@Sl4!cVpi#xxg7Sr{mW9H(NY!RZpwsD%#Cnqobr>@x}f4xsB_trB?rQ-"
    "xI>OT3fmxl*8t`<Jk||#=j;vA9meLJCnnRHhF7z?YxR&CC$#t1m(TYBrJS7^n!~6>N6&FZQRa2eg452yYm-4bYOS#>FwCjdVppw-"
    "ZB(Trb!^T0|3y2pHB"
)


def avif() -> bytes:
    """A kilobyte of 49 megapixels, which take a gigabyte to decode."""
    return zlib.decompress(base64.b85decode(_AVIF))


def webp(width: int = 7000, height: int = 7000, animated: bool = False, chunks: bytes = b"") -> bytes:
    """46 bytes: a canvas of any size with a frame that has hardly begun."""
    canvas = struct.pack("<I", 0x12 if animated else 0x10) + _uint24(width - 1) + _uint24(height - 1)
    bits = (width - 1) & 0x3FFF | ((height - 1) & 0x3FFF) << 14 | 1 << 28
    frame = _riff(b"VP8L", b"\x2f" + struct.pack("<I", bits) + bytes([0x88, 0x88, 0x08]))
    content = b"WEBP" + (_riff(b"VP8X", canvas) if animated or chunks else b"") + chunks + frame
    return b"RIFF" + struct.pack("<I", len(content)) + content


def webp_animation(width: int = 7000, height: int = 7000, frames: int = 1) -> bytes:
    """An animation on a canvas of any size, of frames of 1 × 1."""
    canvas = struct.pack("<I", 0x12) + _uint24(width - 1) + _uint24(height - 1)
    pixel = _riff(b"VP8L", b"\x2f" + struct.pack("<I", 1 << 28) + bytes([0x88, 0x88, 0x08, 0x00]))
    frame = _riff(b"ANMF", _uint24(0) * 2 + _uint24(0) * 2 + _uint24(40) + b"\0" + pixel)
    content = b"WEBP" + _riff(b"VP8X", canvas) + _riff(b"ANIM", bytes(6)) + frame * frames
    return b"RIFF" + struct.pack("<I", len(content)) + content


def webp_chunks(number: int) -> bytes:
    """So many chunks without data, of 8 bytes each, before the frame."""
    return webp(8, 8, chunks=b"JUNK\0\0\0\0" * number)


def gif(width: int = 7000, height: int = 7000, before: bytes = b"", after: bytes = b"") -> bytes:
    """A canvas of any size with a frame of that size in one colour; 1 kB for 7 megapixels."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\2"
    data = _lzw_zeros(width * height)
    blocks = b"".join(bytes([len(data[at : at + 255])]) + data[at : at + 255] for at in range(0, len(data), 255))
    return screen + before + frame + blocks + b"\0" + after + b";"


def _lzw_zeros(pixels: int) -> bytes:
    """So many zeros in GIF's LZW of two-bit pixels: codes for runs of 1, 2, 3 …, cleared when the table ends."""
    bits, value, size = 0, 0, 0
    stream = bytearray()

    def put(code: int, width: int) -> None:
        nonlocal bits, value
        value |= code << bits
        bits += width
        while bits >= 8:
            stream.append(value & 255)
            value, bits = value >> 8, bits - 8

    while size < pixels:
        put(4, 12 if size else 3)
        width, run = 3, 1
        put(0, width)
        size += 1
        for code in range(6, 4095):
            run += 1
            put(code, width)
            size += run
            width = max(width, min(12, (code + 1).bit_length()))
            if size >= pixels:
                break
    put(5, width)
    put(0, 8)
    return bytes(stream)


def gif_comments(number: int) -> bytes:
    """A GIF of 8 × 8 behind so many comments of one letter."""
    return gif(8, 8, b"!\xfe\1a\0" * number)


def gif_extensions(number: int) -> bytes:
    """A GIF of 8 × 8 behind so many empty extensions."""
    return gif(8, 8, b"!\x01\0" * number)


def bmp_runs(width: int, height: int, runs: int, seed: int = 0) -> bytes:
    """RLE8: so many runs of one pixel, then nothing."""
    random_ = random.Random(seed)
    pixels = b"".join(bytes([1, value]) for value in random_.randbytes(runs))
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(pixels), 0, 0, 256, 0)
    start = 14 + len(header) + 1024
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + bytes(range(256)) * 4 + pixels


def bmp(width: int = 7000, height: int = 7000, bits: int = 24) -> bytes:
    """A bitmap of any size without its pixels."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header


def _riff(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _uint24(number: int) -> bytes:
    return struct.pack("<I", number)[:3]
