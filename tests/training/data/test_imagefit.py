from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelrepo.metadata import InputSpec
from tests.support.bundles.tiny import RULES
from tests.support.images.drawn import as_image, picture
from training.data.imagefit import read_image
from training.errors import InvalidData

GREY = InputSpec("image", "uint8", "NHWC", None, 8, 8, 1)
COLOUR = replace(GREY, channels=3)
PAINTED = replace(RULES, mode="rgb")


def save(image: Image.Image, folder: Path) -> Path:
    image.save(folder / "image.png")
    return folder / "image.png"


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_of_the_models_size_keeps_its_pixels(channels: int, tmp_path: Path) -> None:
    pixels = picture(2, channels)
    spec, rules = (GREY, RULES) if channels == 1 else (COLOUR, PAINTED)

    assert np.array_equal(read_image(save(as_image(pixels), tmp_path), spec, rules), pixels)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_another_shape_is_brought_to_the_models_as_its_rules_say(fit: str, tmp_path: Path) -> None:
    wide = Image.new("L", (32, 16))
    wide.paste(255, (8, 0, 24, 16))  # the middle half

    pixels = read_image(save(wide, tmp_path), GREY, replace(RULES, fit=fit, interpolation="nearest"))

    assert pixels.shape == (8, 8, 1)
    assert pixels[4, 4, 0] == 255
    assert bool(pixels[4, 0, 0] == 0) is (fit != "crop")
    assert bool(pixels[0, 4, 0] == 0) is (fit == "pad")


@pytest.mark.parametrize(("alpha", "ground"), [("white", 255), ("black", 0)])
def test_transparent_pixels_lie_on_what_the_rules_name(alpha: str, ground: int, tmp_path: Path) -> None:
    path = save(Image.new("RGBA", (8, 8), (9, 9, 9, 0)), tmp_path)

    assert (read_image(path, COLOUR, replace(PAINTED, alpha=alpha)) == ground).all()


def test_handwriting_of_another_size_is_the_services_to_prepare(tmp_path: Path) -> None:
    rules = replace(RULES, ink=True)

    assert read_image(save(Image.new("L", (8, 8)), tmp_path), GREY, rules).shape == (8, 8, 1)
    with pytest.raises(InvalidData, match="give an image of 8×8, light on dark"):
        read_image(save(Image.new("L", (9, 8)), tmp_path), GREY, rules)


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_a_file_that_is_no_image_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)

    with pytest.raises(InvalidData, match=r"broken\.png is not an image that can be read"):
        read_image(path, GREY, RULES)
