"""Pixels become the tensor that a graph takes."""

from dataclasses import replace

import numpy as np
import pytest

from modelrepo.metadata import InputSpec, Preprocessing
from preprocessing.pipeline import normalize

GRAY = InputSpec(name="image", dtype="uint8", layout="NHWC", batch=None, height=28, width=28, channels=1)
RGB = replace(GRAY, height=32, width=32, channels=3)
RULES = Preprocessing(
    mode="grayscale", fit="stretch", interpolation="bilinear", alpha="white", exif_orientation=True, ink=False
)
RGB_RULES = replace(RULES, mode="rgb")
BATCH = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28, 1)


def test_a_graph_that_takes_bytes_gets_the_very_same_bytes() -> None:
    assert normalize(BATCH, GRAY, RULES) is BATCH


def test_a_graph_that_takes_floats_gets_the_pixels_as_floats() -> None:
    batch = normalize(BATCH, replace(GRAY, dtype="float32"), RULES)

    assert batch.dtype == np.float32
    assert np.array_equal(batch, BATCH)


def test_scale_mean_and_std_are_applied_in_this_order_to_each_channel() -> None:
    pixels = np.broadcast_to(np.array((51, 102, 255), np.uint8), (1, 2, 2, 3))
    rules = replace(RGB_RULES, scale=1 / 255, mean=(0.1, 0.2, 0.5), std=(0.1, 0.5, 0.25))

    batch = normalize(pixels, replace(RGB, dtype="float32"), rules)

    assert batch[0, 0, 0] == pytest.approx([1.0, 0.4, 2.0], abs=1e-6)


def test_channels_come_first_where_the_layout_says_so() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)

    batch = normalize(pixels, replace(RGB, layout="NCHW"), RGB_RULES)

    assert batch.shape == (2, 3, 32, 32)
    assert batch.flags.c_contiguous
    assert np.array_equal(batch[1, 2], pixels[1, :, :, 2])


def test_a_graph_that_takes_bgr_gets_blue_first_and_its_numbers_in_that_order() -> None:
    pixels = np.broadcast_to(np.array((10, 20, 30), np.uint8), (2, 32, 32, 3))
    rules = replace(RGB_RULES, channel_order="bgr", mean=(1.0, 2.0, 3.0))

    batch = normalize(pixels, replace(RGB, dtype="float32", layout="NCHW"), rules)

    assert batch[1, :, 0, 0].tolist() == [29.0, 18.0, 7.0]
    assert batch.flags.c_contiguous


def test_bytes_in_bgr_stay_bytes() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)

    batch = normalize(pixels, RGB, replace(RGB_RULES, channel_order="bgr"))

    assert batch.dtype == np.uint8
    assert np.array_equal(batch[..., 0], pixels[..., 2])


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)], ids=["rgb", "bgr"])
def test_every_channel_gets_its_own_numbers_in_the_graphs_order(order: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3), np.uint8)
    mean, std = (0.5, 0.4, 0.3), (0.1, 0.2, 0.4)
    contract = replace(RGB_RULES, scale=1 / 255, mean=mean, std=std, channel_order="bgr" if order[0] else None)

    tensor = normalize(pixels, replace(RGB, dtype="float32"), contract)

    expected = (pixels[..., order] / 255.0 - mean) / std
    assert np.abs(tensor - expected).max() < 1e-5
