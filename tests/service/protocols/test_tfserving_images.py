"""One image of a TensorFlow Serving request, and several together."""

import base64
from typing import Any

import numpy as np
import pytest

from modelrepo.metadata import InputSpec
from service.codecs.inputs import EncodedImage, EncodedImages, PixelArray
from service.errors import InvalidArray, InvalidImage, InvalidRequest, RequestError
from service.protocols.tfserving.inputs import gather, read_image

SPEC = InputSpec("image", "uint8", "NHWC", None, 2, 2, 1)
FILE = EncodedImage(b"content", "image 1")


def test_a_b64_object_is_an_image_file() -> None:
    assert read_image({"b64": base64.b64encode(b"content").decode()}, "image 1") == FILE


def test_nested_lists_are_pixels() -> None:
    pixels = read_image([[0, 1], [2, 255]], "image 1")

    assert isinstance(pixels, np.ndarray)
    assert pixels.tolist() == [[0, 1], [2, 255]]


@pytest.mark.parametrize(
    ("value", "error", "sentence"),
    [
        pytest.param("YWJj", InvalidRequest, r'^image 1 is a text: send nested lists of pixels, or \{"b64"', id="text"),
        pytest.param(5, InvalidRequest, "^image 1 is a number", id="number"),
        pytest.param(1.5, InvalidRequest, "^image 1 is a number", id="fraction"),
        pytest.param(True, InvalidRequest, "^image 1 is a truth value", id="boolean"),
        pytest.param(None, InvalidRequest, "^image 1 is null", id="null"),
        pytest.param({"B64": "YQ=="}, InvalidRequest, '^image 1 is an object without "b64"', id="object"),
        pytest.param({"b64": "YQ==", "x": 1}, InvalidRequest, "^image 1 has other keys", id="keys beside b64"),
        pytest.param({"b64": "?"}, InvalidImage, "^image 1 is not valid base64", id="no base64"),
        pytest.param({"b64": 1}, InvalidImage, "^image 1 must be a text", id="a number as base64"),
        pytest.param({"b64": {"b64": "YQ=="}}, InvalidImage, "^image 1 must be a text", id="b64 in b64"),
        pytest.param([[1], [2, 3]], InvalidArray, "^Encountered list at unexpected size: image 1", id="ragged"),
        pytest.param([1, [2]], InvalidArray, "^Encountered list at unexpected size: image 1", id="of several depths"),
        pytest.param([[1, {}]], InvalidArray, "nothing but numbers", id="an object in pixels"),
        pytest.param([[1, {"b64": "YQ=="}]], InvalidArray, "nothing but numbers", id="a file in pixels"),
        pytest.param([[1, "abc"]], InvalidArray, "nothing but numbers", id="a text in pixels"),
        pytest.param([["abc"]], InvalidArray, "^image 1 must hold nothing but numbers", id="texts"),
        pytest.param([[True]], InvalidArray, "^image 1 must hold nothing but numbers", id="truth values"),
    ],
)
def test_the_error_for_anything_else_says_what_to_send(value: Any, error: type[RequestError], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        read_image(value, "image 1")


def test_images_of_one_kind_become_inputs() -> None:
    pixels = gather([np.zeros((2, 2)), np.ones((2, 2))], SPEC)

    assert gather([FILE, FILE], SPEC) == EncodedImages((FILE, FILE))
    assert isinstance(pixels, PixelArray)
    assert pixels.values.tolist() == [[[0, 0], [0, 0]], [[1, 1], [1, 1]]]


def test_images_of_several_kinds_are_an_error() -> None:
    with pytest.raises(InvalidRequest, match="all images of a request must have one form"):
        gather([FILE, np.zeros((2, 2))], SPEC)


def test_images_of_several_shapes_are_an_error() -> None:
    sentence = (
        r"^Encountered list at unexpected size: image 1 has the shape \[2,2\], image 2 \[3\]: send \[2,2,1\] each"
    )
    with pytest.raises(InvalidArray, match=sentence):
        gather([np.zeros((2, 2)), np.zeros(3)], SPEC)


def test_images_of_a_wrong_size_are_not_copied() -> None:
    shared = np.zeros(5_000_000)

    inputs = gather([shared] * 100, SPEC)

    assert isinstance(inputs, PixelArray)
    assert inputs.values.shape == (100, 5_000_000)
    assert np.shares_memory(inputs.values, shared)
