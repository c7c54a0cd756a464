"""Bytes become an image, or an error that says why not; nothing else ever comes out of `decode`."""

import io
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import numpy as np
import pytest
from PIL import Image

from preprocessing.decode import decode
from preprocessing.diagnosis import diagnose
from preprocessing.errors import (
    DamagedImage,
    EmptyImage,
    ImageError,
    ImageTooLarge,
    InvalidImage,
    TruncatedImage,
    UnknownFormat,
    UnsupportedVariant,
)
from preprocessing.pipeline import read_orientation
from tests.preprocessing.frozen.encoders import bmp, tiff, tiff_fields
from tests.support.images.unusual_files import (
    FORMATS,
    PNG_SIGNATURE,
    animated_gif,
    file_of,
    gif_on_larger_canvas,
    gradient,
    mutated,
    oriented_jpeg,
    palette_png,
    photograph,
    png_bomb,
    png_chunk,
    png_with_text_bomb,
    tiff_with_huge_tile,
    truncated,
)

MANY = 1_000_000  # pixels: more than any picture here has
MUTANTS = 150  # of each file

MUTATED = {
    **{kind: file_of(photograph(), kind) for kind in FORMATS},
    "progressive JPEG": file_of(photograph(), "JPEG", progressive=True),
    "CMYK JPEG": file_of(Image.fromarray(photograph()).convert("CMYK"), "JPEG"),
    "JPEG with EXIF": oriented_jpeg(photograph(), 6),
    "lossless WebP": file_of(photograph(), "WEBP", lossless=True),
    "animated WebP": file_of(photograph(), "WEBP", save_all=True, append_images=[Image.fromarray(photograph()[::-1])]),
    "animated GIF": animated_gif(photograph(), photograph()[::-1]),
    "palette PNG": palette_png(gradient(), bytes(range(256))),
    "16-bit PNG": file_of(gradient().astype(np.uint16) * 257),
    "palette BMP": file_of(Image.fromarray(gradient()).convert("P"), "BMP"),
    "LZW TIFF": file_of(photograph(), "TIFF", compression="tiff_lzw"),
    "JPEG in TIFF": file_of(photograph(), "TIFF", compression="jpeg"),
    "fax TIFF": file_of(gradient() > 99, "TIFF", compression="group4"),
    "transparent AVIF": file_of(Image.fromarray(photograph()).convert("RGBA"), "AVIF"),
    "animated AVIF": file_of(photograph(), "AVIF", save_all=True, append_images=[Image.fromarray(photograph()[::-1])]),
    "float TIFF": file_of(gradient().astype(np.float32), "TIFF"),
}


def tiff_of(photometric: int, bits: int, channels: int = 1, **more: tuple[int, ...]) -> bytes:
    return tiff(tiff_fields((4, 6, channels), bits, photometric, **more), bytes(4 * 6 * channels * bits // 8))


def jpeg_with(marker: int, precision: int) -> bytes:
    return file_of(photograph(), "JPEG").replace(b"\xff\xc0\0\x11\x08", bytes((255, marker, 0, 17, precision)))


VARIANTS: dict[str, Callable[[], bytes]] = {
    "BMP of 2 bits": partial(bmp, (16, 4), 2, bytes(16)),
    "BMP with these bit masks": partial(
        bmp, (16, 4), 16, bytes(128), compression=3, masks=b"\0\x0f\0\0\xf0\0\0\0\x0f\0\0\0"
    ),
    "BMP with .* this compression": partial(bmp, (16, 4), 24, bytes(192), compression=4),
    "TIFF of this compression or kind of samples": partial(tiff_of, 2, 32, 3, tag339=(3, 3, 3)),  # RGB of floats
    "TIFF of this compression or kind": partial(tiff_of, 8, 16, 3),  # CIE L*a*b* of 16 bits
    "TIFF of this compression": partial(tiff_of, 2, 8, 3, tag259=(34712,)),  # JPEG 2000
    "TIFF of this .*compression": partial(tiff_of, 2, 8, 3, tag259=(50001,)),  # WebP
    "TIFF with planes": partial(tiff_of, 2, 16, 3, tag284=(2,)),
    "JPEG of 12 bits": partial(jpeg_with, 0xC1, 12),
    "JPEG of 16 bits": partial(jpeg_with, 0xC3, 16),
    "hierarchical JPEG": partial(jpeg_with, 0xC5, 8),
    "JPEG-LS": partial(jpeg_with, 0xF7, 8),
    "PNG as Xcode rewrites it": lambda: (
        file_of(gradient())
        .replace(  # the pixels without zlib's header
            PNG_SIGNATURE, PNG_SIGNATURE + png_chunk(b"CgBI", bytes(4))
        )
        .replace(b"IDAT\x78", b"IDAT\0")
    ),
}


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF"])
def test_what_a_lossless_file_holds_comes_back_bit_for_bit(kind: str) -> None:
    content = file_of(gradient(), kind)

    image = decode(content, MANY)

    assert np.array_equal(np.asarray(image.convert("L")), gradient())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_what_a_lossy_file_holds_comes_back_nearly(kind: str) -> None:
    content = file_of(gradient(), kind, quality=95)

    image = decode(content, MANY).convert("L")

    assert np.abs(np.asarray(image, np.int16) - gradient()).max() <= 8


def test_an_animation_gives_its_first_frame() -> None:
    content = animated_gif(gradient(), gradient()[::-1], gradient().T)

    image = decode(content, MANY)

    assert np.array_equal(np.asarray(image.convert("L")), gradient())


@pytest.mark.parametrize(
    ("content", "error", "text"),
    [
        pytest.param(b"", EmptyImage, "the image is empty", id="empty"),
        pytest.param(b"hello, world", UnknownFormat, "this is not an image that can be read", id="text"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnknownFormat, "this is an SVG drawing", id="svg"),
        pytest.param(b"P5 1 1 255 \0", UnknownFormat, "this is a Netpbm file", id="a format that only Pillow reads"),
        pytest.param(b"\x89PNG\r\n\x1a\n", TruncatedImage, "ends early, after 8 bytes", id="signature only"),
        pytest.param(b"BM" + bytes(60), DamagedImage, "is damaged and cannot be decoded", id="signature and zeros"),
    ],
)
def test_bytes_that_are_no_image_raise_an_error_that_says_why(
    content: bytes, error: type[InvalidImage], text: str
) -> None:
    with pytest.raises(error, match=text):
        decode(content, MANY)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC photograph"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "a HEIC photograph"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "a video"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\1", "a video"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"<?xml version='1.0'?>\n<!-- made by hand -->\n<svg width='9'>", "an SVG drawing"),
        (b"\n<!DOCTYPE html>\n<html>", "a web page"),
        (b"<?xml version='1.0'?><kml/>", "an XML document"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 file"),
        (b"\xff\x4f\xff\x51\0\x2f", "a JPEG 2000 file"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL file"),
        (b"\xff\x0a\xfa\x7f", "a JPEG XL file"),
        (b"8BPS\0\1", "a Photoshop file"),
        (b"\0\0\1\0\1\0\x10\x10", "an icon"),
        (b"P6\n2 2\n255\n", "a Netpbm file"),
        (b"qoif\0\0\0\1", "a QOI file"),
        (bytes(128) + b"DICM\2\0", "a DICOM file"),
        (b"PK\3\4\x14", "a ZIP archive"),
        (b"\x1f\x8b\x08\0", "a compressed archive"),
        (b"\x93NUMPY\1\0", "a NumPy array"),
    ],
)
def test_what_exists_but_is_not_read_is_called_by_its_name(content: bytes, name: str) -> None:
    with pytest.raises(UnknownFormat, match=f"^this is {re.escape(name)}.*, which is not read"):
        decode(content, MANY)


def test_a_photograph_of_an_iphone_says_what_to_set_there() -> None:
    with pytest.raises(UnknownFormat, match="Settings → Camera → Formats → Most Compatible, or export it as JPEG"):
        decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", MANY)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_whole_file_of_a_variant_that_is_not_read_is_not_called_damaged(name: str) -> None:
    with pytest.raises(UnsupportedVariant, match=f"^{name}"):
        decode(VARIANTS[name](), MANY)


def test_levels_of_12_bits_and_those_where_white_is_0_come_back_as_16_bits_with_black_as_0() -> None:
    levels = np.full((4, 6), 0x1234, np.uint16)

    inverse = decode(tiff(tiff_fields((4, 6), 16, 0), levels.tobytes()), MANY)
    narrow = decode(tiff(tiff_fields((4, 6), 12, 1), b"\x12\x31\x23" * 12), MANY)

    assert np.asarray(inverse)[0, 0] == 0xFFFF - 0x1234
    assert np.asarray(narrow)[0, 0] == 0x1230


@pytest.mark.parametrize("kind", ["P", "L", "RGB"])
def test_what_the_first_frame_of_a_gif_leaves_of_its_canvas_is_transparent(kind: str) -> None:
    content = gif_on_larger_canvas(Image.fromarray(photograph(20, 30)).convert(kind), (50, 40), (7, 9))

    opacity = np.asarray(decode(content, MANY).convert("RGBA").getchannel("A"))

    assert opacity.shape == (40, 50)
    assert np.argwhere(opacity == 255).min(0).tolist() == [9, 7]
    assert np.argwhere(opacity == 255).max(0).tolist() == [28, 36]
    assert np.count_nonzero(opacity == 255) == 20 * 30


_NOISY: dict[str, Callable[[], bytes]] = {
    "a codec that libtiff lacks": partial(tiff_of, 2, 8, 3, tag259=(34676,), tag262=(32845,)),
    "a fax of noise": partial(tiff_of, 1, 1, tag259=(4,)),
    "LZW of noise": partial(tiff_of, 1, 8, tag259=(5,)),
    "too many samples": partial(tiff_of, 2, 8, 3, tag277=(4097,)),
    "a tag behind the end": lambda: tiff_of(1, 8).replace(b"\x16\1\4\0\1\0\0\0", b"\x16\1\4\0\xff\xff\0\0"),
}


@pytest.mark.parametrize("name", _NOISY)
def test_a_bad_file_makes_no_library_write_anything(
    name: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with suppress(ImageError):
        decode(_NOISY[name](), MANY)

    assert capfd.readouterr() == ("", "")
    assert not caplog.records


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xe0", b"BM", b"II*\0"], ids=repr)
def test_libraries_words_do_not_reach_the_caller(content: bytes) -> None:
    """Some of them are unfinished: libtiff's and Pillow's own formats with nothing filled in."""
    error = diagnose(content + bytes(40), io.BytesIO(content), OSError("%.*s: bad %d at %lu"))

    assert "%" not in str(error)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_was_cut_off_is_said_to_end_early(kind: str, share: float) -> None:
    content = truncated(file_of(photograph(), kind), share)

    with pytest.raises(TruncatedImage, match=f"ends early, after {len(content)} bytes"):
        decode(content, MANY)


def test_a_damaged_file_that_is_complete_is_said_to_be_damaged() -> None:
    content = file_of(gradient()).replace(b"IDAT", b"IDAX")

    with pytest.raises(DamagedImage, match="is damaged"):
        decode(content, MANY)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_image_of_exactly_the_limit_is_taken_and_one_pixel_more_is_not(kind: str) -> None:
    content = file_of(gradient(20, 50), kind)

    assert decode(content, 1000).size == (50, 20)
    with pytest.raises(ImageTooLarge, match="50 × 20 = 1000 pixels, the limit is 999"):
        decode(content, 999)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(png_bomb(), "50000 × 50000 = 2500000000 pixels, the limit is 1000000", id="PNG of 50000 × 50000"),
        pytest.param(tiff_with_huge_tile(), "12000 × 12000 = 144000000 pixels", id="TIFF of 1 × 1 in one huge tile"),
    ],
)
def test_a_small_file_that_claims_a_huge_image_is_refused_by_its_header(content: bytes, sentence: str) -> None:
    assert len(content) < 500
    with pytest.raises(ImageTooLarge, match=sentence):
        decode(content, MANY)


def test_a_remark_that_unfolds_to_100_megabytes_is_not_unfolded() -> None:
    with pytest.raises(DamagedImage, match="is damaged"):
        decode(png_with_text_bomb(100), MANY)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1)], ids=str)
def test_extreme_shapes_are_images_too(shape: tuple[int, int]) -> None:
    assert decode(file_of(gradient(*shape)), MANY).size == shape[::-1]


@pytest.mark.parametrize("name", MUTATED)
def test_a_mutated_file_is_an_image_or_a_refusal_and_never_anything_else(name: str) -> None:
    rng = np.random.default_rng(list(MUTATED).index(name))

    outcomes = [outcome(mutated(MUTATED[name], rng)) for _ in range(MUTANTS)]

    assert set(outcomes) <= {"image", "InvalidImage", "ImageTooLarge"}
    assert "InvalidImage" in outcomes


@pytest.mark.parametrize("opacities", [0, 1, 255, 257, 300], ids=lambda count: f"{count} opacities")
def test_a_palette_takes_any_number_of_opacities(opacities: int) -> None:
    content = palette_png(gradient(), bytes(opacities) or None)

    image = decode(content, MANY)

    assert "transparency" not in image.info


def outcome(content: bytes) -> str:
    """What became of the bytes; an exception of any other kind fails the test."""
    try:
        read_orientation(decode(content, MANY))
    except ImageError as error:
        return "InvalidImage" if isinstance(error, InvalidImage) else type(error).__name__
    return "image"
