"""PNG files made of pixels hold exactly these pixels."""

import numpy as np
import pytest

from preprocessing.decode import decode
from preprocessing.png import encode_png


@pytest.mark.parametrize(
    ("shape", "mode"),
    [((5, 7), "L"), ((5, 7, 1), "L"), ((5, 7, 3), "RGB"), ((5, 7, 4), "RGBA")],
    ids=["gray", "gray with a channel", "RGB", "RGBA"],
)
def test_an_encoded_image_decodes_to_the_same_pixels(shape: tuple[int, ...], mode: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)

    image = decode(encode_png(pixels))

    assert image.mode == mode
    assert np.array_equal(np.asarray(image), pixels.reshape(np.asarray(image).shape))
