"""The handwriting rule: digits on any paper comes out as MNIST's authors would have stored it, and is recognised."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps
from PIL.ImageFilter import GaussianBlur

from modelrepo.metadata import InputSpec, Preprocessing
from preprocessing.decode import decode
from preprocessing.handwriting import to_mnist
from preprocessing.pipeline import prepare
from tests.support.images import pages
from tests.support.images.handwriting import Handwritten, write_digits
from tests.support.images.pages import Page
from tests.support.images.unusual_files import file_of

MODEL = Path(__file__).parent.parent.parent / "models" / "mnist" / "2" / "model.onnx"
DIGIT = MODEL.parents[3] / "docs" / "images" / "digit.png"  # a 6 whose foot is near the edge of the page
SIZE = (28, 28)
SPEC = InputSpec(name="image", dtype="uint8", layout="NHWC", batch=None, height=28, width=28, channels=1)
RULES = Preprocessing(
    mode="grayscale", fit="pad", interpolation="area", alpha="contrast", exif_orientation=True, ink=True
)

Gray = NDArray[np.uint8]
Recognise = Callable[[list[Gray]], NDArray[Any]]


@pytest.fixture(scope="module")
def recognise() -> Recognise:
    """From images uint8 [28, 28, 1] to labels, by the published model."""
    session = onnxruntime.InferenceSession(MODEL)
    return lambda images: session.run(None, {"image": np.stack(images)})[0].argmax(axis=1)


@pytest.fixture(scope="module")
def handwriting() -> list[Handwritten]:
    """300 digits, 30 of each class, drawn with a seed that no constant of the rule was chosen by."""
    return list(write_digits(rounds=30, seed=7))


def page(paper: int = 255, ink: int = 0, pen: int = 8) -> Gray:
    """A triangle, 80 wide and 120 high, off center on a page of 400 × 300."""
    image = Image.new("L", (400, 300), paper)
    ImageDraw.Draw(image).line([(280, 40), (320, 160), (240, 160), (280, 40)], fill=ink, width=pen)
    return np.asarray(image)


def extent(image: Gray) -> tuple[int, int]:
    """Height and width of what is brighter than a quarter."""
    rows, columns = np.nonzero(image > 64)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def likeness(one: Gray, other: Gray) -> float:
    """Cosine between two images that are slightly blurred, so that half a pixel does not count: 1 for equal ones."""
    a, b = (np.asarray(Image.fromarray(image).filter(GaussianBlur(1)), np.float64).ravel() for image in (one, other))
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def accuracy(recognise: Recognise, digits: list[Handwritten], rules: Preprocessing) -> float:
    images = [prepare(decode(digit.content, 1_000_000), SPEC, rules).pixels for digit in digits]
    return float(np.mean(recognise(images) == [digit.label for digit in digits]))


def test_the_longer_side_of_the_ink_becomes_20_of_28() -> None:
    image, _ = to_mnist(page(), SIZE)

    assert extent(image)[0] in {19, 20}
    assert extent(image)[1] == pytest.approx(20 * 88 / 128, abs=1.5)


def test_the_center_of_mass_is_at_the_center() -> None:
    image, _ = to_mnist(page(), SIZE)

    center = [float((image.sum(axis=1 - axis) @ np.arange(28)) / image.sum()) for axis in (0, 1)]
    assert center == pytest.approx([14, 14], abs=0.5)


def test_strokes_are_white_on_black() -> None:
    image, _ = to_mnist(page(), SIZE)

    assert (image.min(), image.max()) == (0, 255)
    assert np.median(image) == 0


@pytest.mark.parametrize(
    ("pixels", "steps"),
    [
        pytest.param(page(255, 0, pen=16), ("inverted", "cropped to ink", "centred"), id="dark on light"),
        pytest.param(page(0, 255, pen=16), ("cropped to ink", "centred"), id="light on dark"),
        pytest.param(page(255, 0, pen=2), ("inverted", "cropped to ink", "thickened", "centred"), id="thin"),
        pytest.param(page(110, 40, pen=16), ("inverted", "cropped to ink", "centred"), id="dark on a dim page"),
        pytest.param(page(140, 200, pen=16), ("cropped to ink", "centred"), id="light on a light wall"),
    ],
)
def test_the_steps_tell_what_was_done(pixels: Gray, steps: tuple[str, ...]) -> None:
    assert to_mnist(pixels, SIZE)[1] == steps


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(255 - page(), id="inverted"),
        pytest.param(page(240, 90), id="faint"),
        pytest.param(np.roll(page(), (100, -200), (0, 1)), id="elsewhere"),
        pytest.param(np.asarray(Image.fromarray(page()).resize((1600, 1200))), id="photograph's size"),
        pytest.param(page()[20:180, 220:340], id="cut out"),
        pytest.param(page(pen=3), id="thin pen"),
    ],
)
def test_the_same_drawing_gives_the_same_image(pixels: Gray) -> None:
    expected, _ = to_mnist(page(), SIZE)

    image, _ = to_mnist(pixels, SIZE)

    assert likeness(image, expected) > 0.95


def test_a_shadow_over_the_page_is_not_ink() -> None:
    shadow = np.linspace(1, 0.55, 400) * np.linspace(1, 0.8, 300)[:, None]
    expected, _ = to_mnist(page(), SIZE)

    image, _ = to_mnist((page() * shadow).astype(np.uint8), SIZE)

    assert likeness(image, expected) > 0.95


def test_a_speck_of_dust_does_not_count_as_part_of_the_digit() -> None:
    dusty = page().copy()
    dusty[250:254, 30:34] = 0
    expected, _ = to_mnist(page(), SIZE)

    image, _ = to_mnist(dusty, SIZE)

    assert np.array_equal(image, expected)


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(np.full((300, 400), 255, np.uint8), id="white"),
        pytest.param(np.zeros((28, 28), np.uint8), id="black"),
        pytest.param(np.full((1, 1), 80, np.uint8), id="1 × 1"),
        pytest.param(np.full((1, 5000), 80, np.uint8), id="1 × 5000"),
        pytest.param(np.random.default_rng(0).normal(200, 8, (300, 400)).astype(np.uint8), id="noise"),
        pytest.param(np.linspace(120, 250, 120_000).reshape(300, 400).astype(np.uint8), id="shadow"),
    ],
)
def test_a_page_without_ink_gives_an_empty_image(pixels: Gray) -> None:
    image, steps = to_mnist(pixels, SIZE)

    assert not image.any()
    assert steps == ("found no ink",)


@pytest.mark.parametrize("size", [(28, 28), (64, 48), (8, 8), (1, 1)], ids=str)
def test_any_picture_gives_an_image_of_the_size_asked_for(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    shapes = np.exp(rng.uniform(0, 6, (200, 2))).astype(int)

    pictures = [np.where(rng.random(shape) < rng.random() ** 3, 255, 30).astype(np.uint8) for shape in shapes]

    assert {to_mnist(picture, size)[0].shape for picture in pictures} == {size}


def test_at_least_nine_in_ten_handwritten_digits_are_recognised(
    recognise: Recognise, handwriting: list[Handwritten]
) -> None:
    with_rule = accuracy(recognise, handwriting, RULES)
    bare = accuracy(recognise, handwriting, replace(RULES, ink=False))
    print(f"{len(handwriting)} handwritten digits: {with_rule:.1%} with the handwriting rule, {bare:.1%} resized")  # noqa: T201

    assert with_rule >= 0.9
    assert with_rule >= bare + 0.5


@pytest.mark.data
def test_mnist_digits_on_a_white_page_keep_their_accuracy(recognise: Recognise, data_folder: Path) -> None:
    with np.load(data_folder / "mnist.npz") as arrays:
        digits, labels = arrays["x_test"][:1000], arrays["y_test"][:1000]
    files = [on_a_white_page(digit, place) for digit, place in zip(digits, places(1000), strict=True)]

    images = [prepare(decode(content, 1_000_000), SPEC, RULES).pixels for content in files]
    kept = float(np.mean(recognise(images) == labels))
    print(f"1000 MNIST digits: {np.mean(recognise([*digits[..., None]]) == labels):.1%} as they are, {kept:.1%} sent")  # noqa: T201

    assert kept >= 0.96


# The pages of a kind, of how many digits on them at least so many are recognised.
PAGES: dict[str, Page] = {
    "plain": pages.plain,
    "gray strip": pages.gray_strip,
    "dark rows": pages.dark_rows,
    "line at the edge": pages.line_at_the_edge,
    "two sides": pages.two_sides,
    "frame": pages.frame,
    "scanner's black": pages.scanner_black,
    "sheet on a table": pages.on_a_table,
    "table on one side": pages.table_on_one_side,
    "black corners": partial(pages.rotated, 0),
    "white corners": partial(pages.rotated, 255),
    "gray corners": partial(pages.rotated, None),
    "box": pages.box,
    "cell of a form": pages.form_cell,
    "finger": pages.finger,
    "hard shadow": pages.hard_shadow,
    "soft shadow": pages.soft_shadow,
    "lined": pages.lined,
    "punched": pages.punched,
    "tight": pages.tight,
    "thick": pages.thick,
}


@pytest.mark.data
@pytest.mark.parametrize("chalk", [False, True], ids=["dark on light", "light on dark"])
@pytest.mark.parametrize("kind", PAGES)
def test_what_surrounds_a_digit_on_its_page_is_not_ink(
    kind: str, chalk: bool, recognise: Recognise, data_folder: Path
) -> None:
    digits, labels, random = some_digits(data_folder, 40)
    drawn = [PAGES[kind](digit, random) for digit in digits]

    images = [prepare(Image.fromarray(255 - page if chalk else page), SPEC, RULES).pixels for page in drawn]

    assert np.mean(recognise(images) == labels) >= 0.95


def test_a_frame_close_to_the_digit_is_not_ink_nor_is_the_paper_between_them(recognise: Recognise) -> None:
    digit = Image.open(DIGIT).convert("RGB")
    framed = [ImageOps.expand(digit, width, (gray,) * 3) for width in (4, 12, 20, 45) for gray in (0, 60, 140)]

    images = [prepare(page, SPEC, RULES).pixels for page in framed]

    assert recognise(images).tolist() == [6] * len(framed)


@pytest.mark.data
def test_several_digits_beside_each_other_are_said_to_be_several(data_folder: Path) -> None:
    digits, _, random = some_digits(data_folder, 60)
    rows = [list(digits[start : start + 2 + start % 4]) for start in range(0, 56, 2)]

    steps = [prepare(Image.fromarray(pages.draw_row(row, random)), SPEC, RULES).steps for row in rows]

    assert np.mean(["found several pieces" in each for each in steps]) >= 0.9


def some_digits(data_folder: Path, count: int) -> tuple[Gray, NDArray[np.int64], np.random.Generator]:
    random = np.random.default_rng(count)
    with np.load(data_folder / "mnist.npz") as arrays:
        chosen = random.choice(len(arrays["y_test"]), count, replace=False)
        return arrays["x_test"][chosen], arrays["y_test"][chosen], random


def places(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(0, (20, 120), (count, 2))


def on_a_white_page(digit: Gray, place: NDArray[np.int64]) -> bytes:
    """Ten times as large, black on white, somewhere on a page of 400 × 300, as JPEG."""
    sheet = Image.new("L", (400, 300), 255)
    large = Image.fromarray(255 - digit).resize((280, 280), Image.Resampling.BICUBIC)
    sheet.paste(large, (int(place[1]), int(place[0])))
    return file_of(sheet, "JPEG", quality=75)
