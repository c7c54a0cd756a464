"""Bytes become an image, or an error that says why not; nothing else ever comes out of `decode`."""

import numpy as np
import pytest
from PIL import Image

from preprocessing.decode import decode
from preprocessing.errors import (
    DamagedImage,
    EmptyImage,
    ImageError,
    ImageTooLarge,
    InvalidImage,
    TruncatedImage,
    UnknownFormat,
)
from preprocessing.pipeline import read_orientation
from tests.support.images.unusual_files import (
    FORMATS,
    animated_gif,
    file_of,
    gradient,
    mutated,
    oriented_jpeg,
    palette_png,
    photograph,
    png_bomb,
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
    "float TIFF": file_of(gradient().astype(np.float32), "TIFF"),
}


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF"])
def test_what_a_lossless_file_holds_comes_back_bit_for_bit(kind: str) -> None:
    content = file_of(gradient(), kind)

    image = decode(content, MANY)

    assert np.array_equal(np.asarray(image.convert("L")), gradient())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
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
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnknownFormat, "not an image", id="svg"),
        pytest.param(b"P5 1 1 255 \0", UnknownFormat, "not an image", id="a format that only Pillow reads"),
        pytest.param(b"\x89PNG\r\n\x1a\n", TruncatedImage, "ends early, after 8 bytes", id="signature only"),
        pytest.param(b"BM" + bytes(60), DamagedImage, "is damaged and cannot be decoded", id="signature and zeros"),
    ],
)
def test_bytes_that_are_no_image_raise_an_error_that_says_why(
    content: bytes, error: type[InvalidImage], text: str
) -> None:
    with pytest.raises(error, match=text):
        decode(content, MANY)


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
