"""What a file would cost is told from its headers: what is cheap is really cheap, and everything hostile is not."""

import contextlib
import io
import random
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelrepo.metadata import Preprocessing
from preprocessing.cost import MAX_SECONDS, CostBudget, estimate
from preprocessing.errors import CostlyImage, ImageError
from preprocessing.pipeline import prepare_file
from tests.support.attacks.files.dear_files import DEAR_FILES, dear_file
from tests.support.bundles.tiny import PREPROCESSING, tiny_metadata
from tests.support.images.unusual_files import file_of, gradient, photograph, truncated

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
READY = (28, 28, 1)
EXIF = Image.Exif()
EXIF[0x0112] = 6
# A model of handwriting prepares images for longer than any other.
HANDWRITING = Preprocessing(**{**vars(PREPROCESSING), "ink": True})
SPEC = tiny_metadata("tiny", 1).input
SLOW = 8  # how many times longer a busy machine may take


def is_cheap(*contents: bytes) -> bool:
    budget = CostBudget(READY, 0.003)
    try:
        for content in contents:
            budget.charge(content)
    except CostlyImage:
        return False
    return True


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("pixels", [gradient(), gradient(200, 300), photograph(240, 320)], ids=["digit", "gray", "RGB"])
def test_usual_images_are_cheap(kind: str, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    assert is_cheap(file_of(pixels, kind))


@pytest.mark.parametrize(
    "content",
    [
        file_of(photograph(), "JPEG", progressive=True),
        file_of(photograph(), "JPEG", exif=EXIF),
        file_of(photograph(), "PNG", exif=EXIF),
        file_of(photograph(), "JPEG", icc_profile=bytes(3000)),
        file_of(Image.fromarray(photograph()).convert("RGBA")),
        file_of(Image.fromarray(photograph()).convert("LA")),
        file_of(Image.fromarray(photograph()).convert("P")),
        file_of(Image.fromarray(photograph()).convert("CMYK"), "JPEG"),
        file_of(photograph(), "WEBP", lossless=True),
        file_of(gradient().astype(np.uint16) * 257),
    ],
)
def test_so_are_small_ones_of_other_modes_with_the_metadata_of_cameras(content: bytes) -> None:
    assert is_cheap(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.6, 0.9])
def test_what_ends_early_is_cheap(kind: str, share: float) -> None:
    assert is_cheap(truncated(file_of(photograph(), kind), share))


@pytest.mark.parametrize(
    "content", [b"", b"B", b"GIF89a", b"\x89PNG", b"\xff\xd8\xff", b"hello", bytes(1000)], ids=repr
)
def test_what_is_no_image_is_cheap(content: bytes) -> None:
    assert is_cheap(content)


@pytest.mark.parametrize("kind", FORMATS)
def test_photographs_are_not(kind: str) -> None:
    assert not is_cheap(file_of(np.zeros((1500, 2000, 3), np.uint8), kind))


def test_no_tiff_is_cheap() -> None:
    assert not is_cheap(file_of(gradient(), "TIFF"))


@pytest.mark.parametrize("name", DEAR_FILES)
def test_no_hostile_file_is_cheap_and_it_is_seen_at_once(name: str) -> None:
    content = dear_file(name)

    began = time.process_time()
    cheap = is_cheap(content)

    assert not cheap
    assert time.process_time() - began < 0.02


def test_the_images_of_a_request_count_together() -> None:
    page = file_of(photograph(240, 320), "JPEG")

    assert is_cheap(page)
    assert not is_cheap(*[page] * 10)


def test_images_of_the_right_shape_cost_next_to_nothing() -> None:
    assert is_cheap(*[file_of(gradient())] * 150)


@pytest.mark.parametrize(
    ("kind", "mode", "channels"),
    [("PNG", "L", 1), ("PNG", "RGB", 3), ("PNG", "RGBA", 0), ("PNG", "P", 0), ("JPEG", "L", 1), ("JPEG", "RGB", 3)],
)
def test_the_shape_is_that_of_the_image(kind: str, mode: str, channels: int) -> None:
    cost = estimate(file_of(Image.fromarray(photograph(30, 40)).convert(mode), kind))

    assert cost is not None
    assert cost.shape == (40, 30, channels)


def test_mutated_files_are_estimated_without_an_error() -> None:
    chosen = random.Random(4)
    for kind in (*FORMATS, "TIFF"):
        whole = file_of(photograph(), kind)
        for _ in range(400):
            content = bytearray(whole)
            for _ in range(chosen.randint(1, 4)):
                content[chosen.randrange(min(len(content), 400))] = chosen.randrange(256)
            estimate(bytes(content[: chosen.randint(1, len(content))]))


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_cheap_takes_no_longer_than_that(kind: str) -> None:
    chosen, pixels = random.Random(kind), np.random.default_rng(1)
    for _ in range(25):
        content = random_file(chosen, pixels, kind)
        if is_cheap(content):
            began = time.process_time()
            with contextlib.suppress(ImageError):
                prepare_file(content, SPEC, HANDWRITING)
            assert time.process_time() - began < MAX_SECONDS * SLOW


def random_file(chosen: random.Random, pixels: np.random.Generator, kind: str) -> bytes:
    """Noise of any size and shape, in any mode that the format has."""
    width = int(2 ** chosen.uniform(0, 12))
    height = max(1, min(16000, int(2 ** chosen.uniform(8, 19)) // width))
    modes = {"PNG": ["L", "LA", "RGB", "RGBA", "P"], "JPEG": ["L", "RGB", "CMYK"], "WEBP": ["RGB", "RGBA"]}
    image = Image.fromarray(pixels.integers(0, 256, (height, width, 3), np.uint8))
    options: dict[str, Any] = {"exif": EXIF} if kind in ("PNG", "JPEG", "WEBP") and chosen.random() < 0.5 else {}
    options |= {"progressive": True} if kind == "JPEG" and chosen.random() < 0.5 else {}
    stream = io.BytesIO()
    image.convert(chosen.choice(modes.get(kind, ["L", "RGB"]))).save(stream, kind, **options)
    return stream.getvalue()
