import io

import numpy as np
import pytest
from PIL import Image

from training.evaluation.golden_images import draw_images, make_golden


@pytest.mark.parametrize("size", [(28, 28, 1, "L"), (32, 32, 3, "RGB"), (17, 40, 3, "RGB")])
def test_the_images_have_exactly_the_size_and_mode_of_the_model(size: tuple[int, int, int, str]) -> None:
    height, width, channels, mode = size
    images = draw_images(height, width, channels)

    golden = make_golden(images, np.full((len(images), 10), 0.1, np.float32))

    stored = [Image.open(io.BytesIO(image.content)) for image in golden.images]
    assert {(picture.size, picture.mode) for picture in stored} == {((width, height), mode)}
    assert all(np.array_equal(np.asarray(p).reshape(i.shape), i) for p, i in zip(stored, images, strict=True))


def test_all_images_differ_and_are_the_same_every_time() -> None:
    images = draw_images(28, 28, 1)

    assert len({image.tobytes() for image in images}) == len(images) == 8
    assert np.array_equal(images, draw_images(28, 28, 1))
