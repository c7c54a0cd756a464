"""Pixel arrays from clients: taken as they are, or rejected with what would be right."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec
from service.codecs import pixel_arrays
from service.codecs.inputs import PixelArray
from service.codecs.limits import Limits
from service.errors import InvalidArray, TooLarge

GRAY = InputSpec("image", "uint8", "NHWC", None, 2, 3, 1)
RGB = InputSpec("image", "uint8", "NHWC", None, 2, 3, 3)
LIMITS = Limits(max_pixels=1000, max_request_pixels=1000, max_images=8)


def check_pixels(values: NDArray[Any], model: str, spec: InputSpec) -> NDArray[np.uint8]:
    return pixel_arrays.check_pixels(PixelArray(values), model, spec, LIMITS)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "uint16", ">u2", "float16", "float32", "float64"])
def test_whole_numbers_of_any_dtype_become_bytes(dtype: str) -> None:
    values = np.arange(12).reshape(2, 2, 3, 1).astype(dtype)

    pixels = check_pixels(values, "tiny", GRAY)

    assert pixels.dtype == np.uint8
    assert pixels.tolist() == values.tolist()


def test_bytes_are_not_copied() -> None:
    values = np.zeros((5, 2, 3, 3), np.uint8)

    assert check_pixels(values, "tiny", RGB) is values


def test_the_channel_axis_may_be_absent_where_there_is_one_channel() -> None:
    assert check_pixels(np.zeros((4, 2, 3)), "tiny", GRAY).shape == (4, 2, 3, 1)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param(np.zeros((1, 1, 2, 3)), r"shape \[1,1,2,3\]: send \[N,2,3,1\]", id="channels first"),
        pytest.param(np.zeros((2, 3)), r"shape \[2,3\]", id="no batch"),
        pytest.param(np.zeros((0, 2, 3, 1)), r"shape \[0,2,3,1\]", id="no images"),
        pytest.param(np.zeros(()), r"shape \[\]", id="a number"),
        pytest.param(np.zeros((1, 2, 3, 3)), "takes 2×3 grayscale images", id="colour"),
        pytest.param(np.full((1, 2, 3, 1), np.nan), "NaN or infinity", id="NaN"),
        pytest.param(np.full((1, 2, 3, 1), np.inf), "NaN or infinity", id="infinity"),
        pytest.param(np.full((1, 2, 3, 1), -1), "from -1 to -1", id="negative"),
        pytest.param(np.full((1, 2, 3, 1), 256), "from 256 to 256", id="above 255"),
        pytest.param(np.full((1, 2, 3, 1), 0.5), "whole numbers", id="scaled to 1"),
        pytest.param(np.zeros((1, 2, 3, 1), bool), "not bool", id="booleans"),
        pytest.param(np.zeros((1, 2, 3, 1), complex), "not complex128", id="complex"),
        pytest.param(np.full((1, 2, 3, 1), "a"), "numbers from 0 to 255", id="texts"),
        pytest.param(np.full((1, 2, 3, 1), None), "not object", id="nothing"),
        pytest.param(np.zeros((1, 2, 3, 1), "M8[s]"), "not datetime64", id="dates"),
    ],
)
def test_what_is_no_picture_is_rejected(values: NDArray[Any], sentence: str) -> None:
    with pytest.raises(InvalidArray, match=sentence):
        check_pixels(values, "tiny", GRAY)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "float16", "float32", ">f8"])
@pytest.mark.parametrize("ones", [1, 11, 12], ids="{} of 12 are 1".format)
def test_pixels_that_are_all_0_or_1_are_scaled_ones(dtype: str, ones: int) -> None:
    values = np.zeros(12)
    values[:ones] = 1

    with pytest.raises(InvalidArray, match=r"yours are all 0 or 1, as after scaling: send them raw, the model does"):
        check_pixels(values.reshape(2, 2, 3, 1).astype(dtype), "tiny", GRAY)


@pytest.mark.parametrize("highest", [0, 2, 255])
def test_a_dark_image_is_not_taken_for_a_scaled_one(highest: int) -> None:
    values = np.zeros((1, 2, 3, 1))
    values[0, 0, 0] = highest

    assert check_pixels(values, "tiny", GRAY).max() == highest


def test_what_came_out_of_an_image_file_may_have_only_0_and_1() -> None:
    prepared = PixelArray(np.ones((1, 2, 3, 1), np.uint8), is_prepared=True)

    assert pixel_arrays.check_pixels(prepared, "tiny", GRAY, LIMITS).max() == 1


def test_the_shape_is_checked_before_the_number_of_images() -> None:
    with pytest.raises(InvalidArray, match=r"shape \[784\]: send \[N,2,3,1\]"):
        check_pixels(np.zeros(784), "tiny", GRAY)
    with pytest.raises(TooLarge, match="9 images"):
        check_pixels(np.zeros((9, 2, 3, 1)), "tiny", GRAY)


def test_a_model_of_colour_says_so() -> None:
    with pytest.raises(InvalidArray, match=r"tiny takes 2×3 RGB images; .* send \[N,2,3,3\], or the image file itself"):
        check_pixels(np.zeros((1, 2, 3)), "tiny", RGB)
