"""An image with a color profile becomes sRGB; a profile that is broken, or of no use, changes nothing."""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from preprocessing.cost import estimate
from preprocessing.decode import decode
from preprocessing.pipeline import PreparedImage, prepare_file
from preprocessing.profiles import MANAGED_PIXELS, MAX_BYTES, to_srgb
from tests.preprocessing.frozen.contracts import GRAY, GRAY_RULES, RGB, RGB_RULES
from tests.support.images.color_profiles import (
    ADOBE_PRIMARIES,
    ADOBE_RGB,
    DISPLAY_P3,
    INKS,
    P3_PRIMARIES,
    SRGB,
    SRGB_PRIMARIES,
    TABLE_RGB,
    gray_profile,
)
from tests.support.images.unusual_files import STORED, file_of, gradient, photograph

EXACT = photograph(20, 24)  # of the size of RGB
STEP = "converted to sRGB"
Pixels = NDArray[np.uint8]


def prepared(content: bytes) -> PreparedImage:
    return prepare_file(content, RGB, RGB_RULES)


def expected(pixels: Pixels, primaries: tuple[tuple[float, ...], ...], gamma: float | None) -> NDArray[np.float64]:
    """The pixels in sRGB, by the formulas (IEC 61966-2-1); `gamma` is None for sRGB's own curve."""
    shares = pixels / 255
    curve = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    linear = curve if gamma is None else shares**gamma
    light = np.clip(linear @ np.array(primaries) @ np.linalg.inv(np.array(SRGB_PRIMARIES)), 0, 1)
    result: NDArray[np.float64] = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return result


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("profile", "primaries", "gamma"),
    [
        pytest.param(DISPLAY_P3, P3_PRIMARIES, None, id="Display P3"),
        pytest.param(ADOBE_RGB, ADOBE_PRIMARIES, 563 / 256, id="Adobe RGB"),
    ],
)
def test_colors_become_those_of_srgb(
    kind: str, profile: bytes, primaries: tuple[tuple[float, ...], ...], gamma: float | None
) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}

    image = prepared(file_of(EXACT, kind, icc_profile=profile, **options))

    assert np.abs(image.pixels - expected(EXACT, primaries, gamma)).max() <= 3
    assert np.abs(EXACT - expected(EXACT, primaries, gamma)).max() > 20
    assert image.steps == (STEP,)


@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
def test_so_do_those_of_lossy_files(kind: str) -> None:
    plain = prepared(file_of(EXACT, kind, quality=95)).pixels

    image = prepared(file_of(EXACT, kind, quality=95, icc_profile=DISPLAY_P3))

    assert np.abs(image.pixels - expected(plain, P3_PRIMARIES, None)).max() <= 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_profile_of_srgb_changes_no_pixel(kind: str) -> None:
    options = {"quality": 90} if kind != "TIFF" else {}

    image = prepared(file_of(EXACT, kind, icc_profile=SRGB, **options))

    assert np.array_equal(image.pixels, prepared(file_of(EXACT, kind, **options)).pixels)
    assert STEP not in image.steps


def test_a_profile_is_obeyed_in_every_orientation() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    image = prepared(file_of(STORED[6](EXACT), "PNG", icc_profile=DISPLAY_P3, exif=exif))

    assert np.array_equal(image.pixels, prepared(file_of(EXACT, "PNG", icc_profile=DISPLAY_P3)).pixels)
    assert image.steps == ("rotated", STEP)


def in_gray(image: Image.Image | NDArray[Any], kind: str, profile: bytes) -> NDArray[np.uint8]:
    return prepare_file(file_of(image, kind, icc_profile=profile), GRAY, GRAY_RULES).pixels[:, :, 0]


@pytest.mark.parametrize("exponent", [1.0, 1.8])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_gray_becomes_that_of_srgb(kind: str, exponent: float) -> None:
    stored = in_gray(gradient(), kind, SRGB)
    light = (stored / 255) ** exponent

    pixels = in_gray(gradient(), kind, gray_profile(exponent))

    wanted = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(pixels - wanted).max() <= 2


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_gray_of_16_bits_does_so_too(kind: str) -> None:
    deep = in_gray(gradient().astype(np.uint16) * 257, kind, gray_profile(1.0)).astype(np.int64)

    assert np.abs(deep - in_gray(gradient(), kind, gray_profile(1.0))).max() <= 1


def test_a_profile_of_colors_holds_for_gray_pixels_too() -> None:
    assert np.abs(in_gray(gradient(), "PNG", ADOBE_RGB).astype(np.int64) - gradient()).max() in range(3, 12)
    assert np.array_equal(in_gray(gradient(), "PNG", DISPLAY_P3), gradient())


def test_inks_become_the_colors_that_the_press_gives_them() -> None:
    inks = Image.new("CMYK", (24, 20), (255, 0, 255, 0))

    pixels = prepared(file_of(inks, "JPEG", quality=95, icc_profile=INKS)).pixels
    paper = prepared(file_of(Image.new("CMYK", (24, 20)), "JPEG", icc_profile=INKS)).pixels

    assert pixels.std(axis=(0, 1)).max() == 0
    assert np.ptp(pixels[0, 0]) < 8  # a gray, where cyan and yellow would be a green
    assert paper.min() >= 253


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_stays(mode: str) -> None:
    opacity = np.repeat(np.arange(0, 240, 12, dtype=np.uint8)[:, None], 24, axis=1)
    image = Image.fromarray(np.dstack([EXACT, opacity]))
    image = image.quantize(64, method=Image.Quantize.FASTOCTREE) if mode == "P" else image.convert(mode)
    content = file_of(image, "PNG", icc_profile=DISPLAY_P3 if mode != "LA" else gray_profile(1.0))

    managed, step = to_srgb(decode(content), (24, 20))

    assert step == STEP
    assert alpha_of(managed) == alpha_of(decode(content))


def alpha_of(image: Image.Image) -> bytes:
    return image.convert("RGBA").getchannel("A").tobytes()


def test_a_color_that_is_declared_transparent_stays_so() -> None:
    image = Image.new("RGB", (24, 20), (200, 30, 40))
    image.putpixel((3, 4), (0, 200, 0))

    content = file_of(image, "PNG", icc_profile=DISPLAY_P3, transparency=(200, 30, 40))

    pixels = prepared(content).pixels
    assert (pixels[0, 0] == 255).all()
    assert (pixels[4, 3] < 230).any()


@pytest.mark.parametrize(
    ("profile", "mode"),
    [
        pytest.param(b"", "RGB", id="empty"),
        pytest.param(bytes(3000), "RGB", id="zeros"),
        pytest.param(DISPLAY_P3[:200], "RGB", id="cut short"),
        pytest.param(gray_profile(1.8), "RGB", id="gray for colors"),
        pytest.param(DISPLAY_P3, "CMYK", id="colors for inks"),
        pytest.param(INKS, "RGB", id="inks for colors"),
        pytest.param(INKS, "L", id="inks for gray"),
        pytest.param(DISPLAY_P3 + bytes(MAX_BYTES), "RGB", id="huge"),
        pytest.param("Display P3", "RGB", id="a text"),
        pytest.param(DISPLAY_P3, "1", id="for black and white"),
    ],
)
def test_a_profile_of_no_use_is_ignored(profile: object, mode: str) -> None:
    image = Image.fromarray(photograph()).convert(mode)
    image.info["icc_profile"] = profile

    assert to_srgb(image, (28, 28)) == (image, "")


@pytest.mark.parametrize(
    ("profile", "mode"), [(DISPLAY_P3, "RGB"), (TABLE_RGB, "RGBA"), (gray_profile(2.2), "L"), (INKS, "CMYK")], ids=str
)
def test_no_mutated_profile_does_harm(profile: bytes, mode: str) -> None:
    chosen, image = random.Random(7), Image.fromarray(photograph(8, 8)).convert(mode)
    for _ in range(60):
        content = bytearray(profile)
        for _ in range(chosen.randint(1, 6)):
            content[chosen.randrange(min(len(content), 500))] = chosen.choice((0, 1, 255, chosen.randrange(256)))
        image.info["icc_profile"] = bytes(content[: chosen.choice((len(content), chosen.randrange(len(content))))])

        managed, _ = to_srgb(image, (28, 28))

        assert managed.size == image.size


def test_of_a_large_image_blocks_are_averaged_before_their_colors_are_converted() -> None:
    image = Image.new("RGB", (3000, 1000), (200, 100, 50))
    image.info["icc_profile"] = DISPLAY_P3

    small, _ = to_srgb(image, (28, 28))
    sharp, _ = to_srgb(image, (320, 320))

    assert small.width * small.height <= MANAGED_PIXELS
    assert sharp.size == (3000, 1000)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_cost_of_a_profile_is_known_from_the_header(kind: str) -> None:
    seconds = [seconds_of(file_of(photograph(), kind, icc_profile=each)) for each in (b"", SRGB, ADOBE_RGB)]

    assert seconds == sorted(seconds)
    assert 0.004 < seconds[2] - seconds[0] < 0.01
    assert seconds[1] - seconds[0] < (0.002 if kind != "PNG" else 0.005)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("profile", [TABLE_RGB, DISPLAY_P3 + bytes(8192), INKS], ids=["table", "long", "inks"])
def test_a_profile_that_takes_long_is_costly(kind: str, profile: bytes) -> None:
    assert seconds_of(file_of(photograph(), kind, icc_profile=profile)) == float("inf")


def seconds_of(content: bytes) -> float:
    cost = estimate(content)
    assert cost is not None
    return cost.seconds


def test_handwriting_is_read_from_srgb_too() -> None:
    rules = replace(GRAY_RULES, ink=True, alpha="contrast")
    page = Image.new("L", (90, 120), 255)
    page.paste(40, (40, 20, 50, 100))

    steps = prepare_file(file_of(page, "PNG", icc_profile=gray_profile(1.0)), GRAY, rules).steps

    assert steps[0] == STEP
    assert "cropped to ink" in steps
