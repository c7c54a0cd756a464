from typing import Any

import numpy as np
import pytest

from modelrepo.metadata import InputSpec, Preprocessing
from training.data.tensors import make_tensor

RULES = Preprocessing("rgb", "crop", "bilinear", "white", exif_orientation=True, ink=False)
IMAGES = np.random.default_rng(1).integers(0, 256, (2, 4, 5, 3), np.uint8)


def spec(dtype: str, layout: str) -> InputSpec:
    return InputSpec("x", dtype, layout, None, 4, 5, 3)


def rules(**changes: Any) -> Preprocessing:
    return Preprocessing(**{**vars(RULES), **changes})


def test_bytes_stay_as_they_are() -> None:
    tensor = make_tensor(IMAGES, spec("uint8", "NHWC"), RULES)

    assert tensor.dtype == np.uint8
    assert np.array_equal(tensor, IMAGES)


def test_the_channels_stand_where_the_layout_says() -> None:
    tensor = make_tensor(IMAGES, spec("float32", "NCHW"), RULES)

    assert tensor.dtype == np.float32
    assert np.array_equal(tensor, IMAGES.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)], ids=["rgb", "bgr"])
def test_every_channel_gets_its_own_numbers_in_the_graphs_order(order: tuple[int, ...]) -> None:
    mean, std = (0.5, 0.4, 0.3), (0.1, 0.2, 0.4)
    named = rules(scale=1 / 255, mean=mean, std=std, channel_order="bgr" if order[0] else None)

    tensor = make_tensor(IMAGES, spec("float32", "NHWC"), named)

    expected = (IMAGES[..., order] / 255.0 - mean) / std
    assert np.abs(tensor - expected).max() < 1e-5
