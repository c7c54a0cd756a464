"""The preprocessing contract: pixels of the graph's shape from any image, and `steps` that say what was done."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from modelrepo.metadata import FITS, INTERPOLATIONS, InputSpec, Preprocessing
from preprocessing.decode import decode
from preprocessing.errors import ImageError
from preprocessing.pipeline import PreparedImage, prepare
from tests.preprocessing.frozen.encoders import oriented
from tests.support.images.unusual_files import (
    STORED,
    file_of,
    gradient,
    mutated,
    oriented_jpeg,
    palette_png,
    photograph,
    transparent_png,
)

GRAY = InputSpec(name="image", dtype="uint8", layout="NHWC", batch=None, height=28, width=28, channels=1)
RGB = replace(GRAY, height=32, width=32, channels=3)
RULES = Preprocessing(
    mode="grayscale", fit="stretch", interpolation="bilinear", alpha="white", exif_orientation=True, ink=False
)
RGB_RULES = replace(RULES, mode="rgb")
RED = np.broadcast_to(np.array((200, 0, 0), np.uint8), (32, 32, 3))
WIDE = np.broadcast_to(np.repeat(np.array((0, 100, 200), np.uint8), 28), (28, 84))  # black, gray and light squares


def prepared(content: bytes, spec: InputSpec = GRAY, rules: Preprocessing = RULES) -> PreparedImage:
    return prepare(decode(content, 10_000_000), spec, rules)


def farthest(pixels: NDArray[np.uint8], expected: NDArray[Any]) -> int:
    """The largest difference of a gray or equally colored result."""
    return int(np.abs(pixels.astype(np.int16) - expected.astype(np.int16)[..., None]).max())


def test_a_gray_image_of_the_right_size_passes_through_bit_for_bit() -> None:
    image = prepared(file_of(gradient()))

    assert np.array_equal(image.pixels, gradient()[..., None])
    assert image.steps == ()


ZERO = np.zeros((28, 28), np.uint8)
ZERO[4:24, 8:20] = 255
ZERO[7:21, 11:17] = 0


@pytest.mark.parametrize(
    ("content", "steps"),
    [
        pytest.param(file_of(ZERO), (), id="L"),
        pytest.param(file_of(ZERO > 99), ("grayscale",), id="1"),
        pytest.param(file_of(Image.fromarray(ZERO).convert("LA")), (), id="LA"),
        pytest.param(palette_png(ZERO), ("grayscale",), id="P"),
        pytest.param(file_of(np.dstack([ZERO] * 3)), ("grayscale",), id="RGB"),
        pytest.param(file_of(Image.fromarray(ZERO).convert("RGBA")), ("grayscale",), id="RGBA"),
        pytest.param(file_of(ZERO.astype(np.uint16) * 257), ("scaled to 8 bits",), id="I;16"),
    ],
)
def test_a_digit_in_the_form_of_mnist_passes_through_whatever_the_container(
    content: bytes, steps: tuple[str, ...]
) -> None:
    image = prepared(content, GRAY, replace(RULES, ink=True))

    assert np.array_equal(image.pixels[..., 0], ZERO)
    assert set(image.steps) <= set(steps)


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(255 - ZERO, id="white paper"),
        pytest.param(ZERO // 3, id="faint ink"),
        pytest.param(gradient(), id="gradient"),
    ],
)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_another_picture_of_the_same_size_goes_through_the_handwriting_rule(pixels: np.ndarray, mode: str) -> None:
    image = prepared(file_of(Image.fromarray(pixels).convert(mode)), GRAY, replace(RULES, ink=True))

    assert not np.array_equal(image.pixels[..., 0], pixels)
    assert {"centred", "found no ink"} & set(image.steps)


def test_a_color_image_of_the_right_size_passes_through_bit_for_bit() -> None:
    image = prepared(file_of(photograph(32, 32)), RGB, RGB_RULES)

    assert np.array_equal(image.pixels, photograph(32, 32))
    assert image.steps == ()


SIXTEEN = gradient().astype(np.uint16) * 257
LAB = Image.fromarray(gradient()).convert("RGB").convert("LAB")


@pytest.mark.parametrize(
    ("content", "steps", "tolerance"),
    [
        pytest.param(file_of(np.dstack([gradient()] * 3)), ("grayscale",), 0, id="rgb"),
        pytest.param(file_of(Image.fromarray(gradient()).convert("LA")), (), 0, id="opaque alpha"),
        pytest.param(palette_png(gradient()), ("grayscale",), 0, id="palette"),
        pytest.param(file_of(SIXTEEN), ("scaled to 8 bits",), 0, id="16-bit PNG"),
        pytest.param(file_of(SIXTEEN.astype(np.int32), "TIFF"), ("scaled to 8 bits",), 0, id="32-bit TIFF"),
        pytest.param(file_of(SIXTEEN.astype(np.float32), "TIFF"), ("scaled to 8 bits",), 0, id="float TIFF"),
        pytest.param(
            file_of(gradient().astype(np.float32) / 255, "TIFF"), ("scaled to 8 bits",), 0, id="fraction TIFF"
        ),
        pytest.param(file_of(LAB, "TIFF"), ("grayscale",), 1, id="LAB"),
        pytest.param(file_of(Image.fromarray(gradient()).convert("CMYK"), "TIFF"), ("grayscale",), 1, id="CMYK TIFF"),
        pytest.param(file_of(Image.fromarray(gradient()).convert("CMYK"), "JPEG"), ("grayscale",), 9, id="CMYK JPEG"),
    ],
)
def test_every_color_mode_shows_the_same_picture(content: bytes, steps: tuple[str, ...], tolerance: int) -> None:
    image = prepared(content)

    assert farthest(image.pixels, gradient()) <= tolerance
    assert image.steps == steps


def test_one_bit_images_are_black_and_white() -> None:
    image = prepared(file_of(gradient() > 99))

    assert np.array_equal(image.pixels[..., 0], np.where(gradient() > 99, 255, 0))


def test_float_samples_of_no_known_range_are_stretched() -> None:
    samples = gradient().astype(np.float32) - 100
    samples[0, 0] = np.nan

    image = prepared(file_of(samples, "TIFF"))

    assert (image.pixels[0, 1, 0], image.pixels[-1, -1, 0]) == (0, 255)


def test_float_samples_may_be_as_large_as_floats_are() -> None:
    samples = np.where(gradient() > 99, 3.4e38, -3.4e38).astype(np.float32)

    image = prepared(file_of(samples, "TIFF"))

    assert np.array_equal(image.pixels[..., 0], np.where(gradient() > 99, 255, 0))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_red_stays_red(kind: str) -> None:
    stored = Image.fromarray(RED).convert("RGB" if kind == "PNG" else "CMYK")

    image = prepared(file_of(stored, kind), RGB, RGB_RULES)

    assert np.abs(image.pixels.astype(np.int16) - RED).max() <= 3


SQUARE = np.pad(np.full((8, 8), 255, np.uint8), 10)  # opaque in the middle, transparent around it


@pytest.mark.parametrize(
    ("color", "alpha", "ground"),
    [
        ((0, 0, 0), "white", 255),
        ((0, 0, 0), "black", 0),
        ((0, 0, 0), "contrast", 255),
        ((20, 40, 160), "contrast", 255),
        ((250, 250, 250), "contrast", 0),
    ],
)
def test_what_is_transparent_is_laid_on_the_color_of_the_rule(
    color: tuple[int, int, int], alpha: str, ground: int
) -> None:
    image = prepared(transparent_png(color, SQUARE), GRAY, replace(RULES, alpha=alpha))

    assert image.pixels[0, 0, 0] == ground
    assert image.steps == (f"laid on {'white' if ground else 'black'}", "grayscale")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(palette_png(gradient(), 0), id="palette, one index"),
        pytest.param(palette_png(gradient(), b"\0" + b"\xff" * 255), id="palette, opacities"),
        pytest.param(file_of(gradient(), transparency=0), id="gray with tRNS"),
        pytest.param(file_of(np.dstack([gradient()] * 3), transparency=(0, 0, 0)), id="rgb with tRNS"),
        pytest.param(file_of(SIXTEEN, transparency=0), id="16 bit with tRNS"),
        pytest.param(file_of(Image.fromarray(gradient()), "GIF", transparency=0), id="GIF"),
    ],
)
def test_a_color_that_is_declared_transparent_is(content: bytes) -> None:
    image = prepared(content)

    assert farthest(image.pixels, np.where(gradient() == 0, 255, gradient())) == 0
    assert "laid on white" in image.steps


@pytest.mark.parametrize("turned", range(1, 9))
def test_every_exif_orientation_is_brought_upright(turned: int) -> None:
    image = prepared(oriented_jpeg(gradient(), turned))

    assert farthest(image.pixels, gradient()) <= 5
    assert image.steps == (("rotated",) if turned > 1 else ())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("turned", [3, 6])
def test_orientation_is_left_alone_where_the_contract_says_so(kind: str, turned: int) -> None:
    stored = STORED[turned](gradient())
    options = {"compression": "tiff_lzw"} if kind == "TIFF" else {"quality": 95}
    content = oriented(gradient(), turned, kind, **options)

    assert farthest(prepared(content, GRAY, replace(RULES, exif_orientation=False)).pixels, stored) <= 8
    assert farthest(prepared(content).pixels, gradient()) <= 8
    assert "rotated" in prepared(content).steps


def test_stretch_keeps_the_whole_image_and_loses_its_shape() -> None:
    image = prepared(file_of(WIDE), GRAY, replace(RULES, fit="stretch", interpolation="nearest"))

    assert [int(level) for level in np.unique(image.pixels)] == [0, 100, 200]
    assert image.steps == ("stretched",)


def test_crop_keeps_the_middle() -> None:
    image = prepared(file_of(WIDE), GRAY, replace(RULES, fit="crop"))

    assert np.unique(image.pixels).tolist() == [100]
    assert image.steps == ("cropped",)


def test_pad_keeps_everything_on_the_color_of_the_border() -> None:
    page = np.full((60, 120, 3), (255, 250, 240), np.uint8)
    page[20:40, 40:80] = 0

    image = prepared(file_of(page), RGB, replace(RGB_RULES, fit="pad"))

    assert image.pixels[0, 0].tolist() == [255, 250, 240]
    assert image.pixels[16, 16].tolist() == [0, 0, 0]
    assert image.steps == ("padded",)


def test_an_image_of_the_right_shape_is_only_resized() -> None:
    image = prepared(file_of(gradient(56, 56)), GRAY, replace(RULES, fit="crop", interpolation="area"))

    assert farthest(image.pixels, gradient()) <= 3
    assert image.steps == ("resized",)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (1, 2_000_000), (2_000_000, 1)], ids=str)
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("fit", FITS)
def test_extreme_shapes_keep_their_color(fit: str, interpolation: str, shape: tuple[int, int]) -> None:
    image = Image.fromarray(np.full(shape, 77, np.uint8))

    pixels = prepare(image, RGB, replace(RGB_RULES, fit=fit, interpolation=interpolation)).pixels

    assert pixels.shape == (32, 32, 3)
    assert 76 <= pixels.min() <= pixels.max() <= 78


def test_the_handwriting_rule_takes_the_place_of_fit() -> None:
    page = np.full((300, 400), 255, np.uint8)
    page[50:150, 300:308] = 0

    image = prepared(file_of(page), GRAY, replace(RULES, ink=True))

    assert image.pixels.shape == (28, 28, 1)
    assert image.steps == ("inverted", "cropped to ink", "thickened", "centred")


@pytest.mark.parametrize("ink", [False, True], ids=["plain", "handwriting"])
def test_whatever_decodes_can_be_prepared(ink: bool) -> None:
    rng = np.random.default_rng(5)
    sources = [palette_png(gradient(), bytes(range(256))), file_of(SIXTEEN, "TIFF"), file_of(photograph(), "BMP")]
    images = [image for image in (decoded(mutated(content, rng)) for content in sources * 60) if image]

    shapes = {prepare(image, GRAY, replace(RULES, ink=ink)).pixels.shape for image in images}

    assert shapes == {(28, 28, 1)}


def decoded(content: bytes) -> Image.Image | None:
    """The image, or None if it is refused."""
    try:
        return decode(content, 1_000_000)
    except ImageError:
        return None
