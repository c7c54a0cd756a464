"""The orientation that a camera wrote into an image's EXIF data."""

import pytest
from PIL import Image

from preprocessing.decode import decode
from preprocessing.pipeline import read_orientation
from tests.support.images.unusual_files import file_of, oriented_jpeg, photograph

MANY = 1_000_000  # pixels: more than any picture here has


@pytest.mark.parametrize("turned", range(1, 9))
def test_the_orientation_is_what_the_exif_data_say(turned: int) -> None:
    assert read_orientation(decode(oriented_jpeg(photograph(), turned), MANY)) == turned


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_counts_as_upright(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value

    image = decode(file_of(photograph(), "JPEG", exif=exif), MANY)

    assert read_orientation(image) == 1


def test_exif_data_that_cannot_be_read_count_as_upright() -> None:
    image = decode(file_of(photograph(), "JPEG", exif=b"Exif\0\0" + b"\xff" * 40), MANY)

    assert read_orientation(image) == 1
