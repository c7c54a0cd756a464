"""Tensors of every datatype and form become images or pixels."""

import base64
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec
from preprocessing.png import encode_png
from service.codecs.inputs import EncodedImages, PixelArray
from service.codecs.limits import Limits
from service.errors import InvalidArray, InvalidImage, InvalidRequest, RequestError, TooLarge
from service.protocols.openinference.datatypes import NUMERIC
from service.protocols.openinference.request import Tensor
from service.protocols.openinference.tensors import read_inputs, read_raw
from tests.support.bundles.tiny import tiny_metadata
from tests.support.images.drawn import tiny_image
from tests.support.images.unusual_files import FORMATS, file_of, gradient

TINY = tiny_metadata("tiny")
COLOUR = tiny_metadata("colour", mode="rgb")
LIMITS = Limits(max_pixels=1000, max_request_pixels=10_000, max_images=4)
PIXELS = np.stack([tiny_image(place) for place in range(3)])
PNG = encode_png(tiny_image(1))


def tensor(**members: Any) -> Tensor:
    """One 8 × 8 picture as binary UINT8, with whatever differs."""
    given = {"name": "image", "datatype": "UINT8", "shape": (1, 8, 8, 1), "data": None, "binary": bytes(64), **members}
    binary = given["binary"]
    return Tensor(**{**given, "binary": None if binary is None else memoryview(binary)})


def pixels_of(given: Tensor) -> NDArray[Any]:
    inputs = read_inputs((given,), TINY, LIMITS)
    assert isinstance(inputs, PixelArray)
    return inputs.values


def images_of(given: Tensor) -> list[bytes]:
    inputs = read_inputs((given,), TINY, LIMITS)
    assert isinstance(inputs, EncodedImages)
    return [image.content for image in inputs.images]


def elements(*contents: bytes) -> bytes:
    """The binary form of a BYTES tensor."""
    return b"".join(struct.pack("<I", len(content)) + content for content in contents)


@pytest.mark.parametrize("binary", [PNG, elements(PNG)], ids=["as it is", "behind its length"])
def test_an_image_may_be_the_rest_of_the_body(binary: bytes) -> None:
    assert images_of(tensor(datatype="BYTES", shape=(1,), binary=binary, is_rest=True)) == [PNG]


def test_several_images_in_the_rest_of_the_body_have_their_lengths() -> None:
    assert images_of(tensor(datatype="BYTES", shape=(2,), binary=elements(PNG, PNG), is_rest=True)) == [PNG, PNG]
    with pytest.raises(InvalidArray, match="ends within element 1 of 2"):
        images_of(tensor(datatype="BYTES", shape=(2,), binary=PNG, is_rest=True))


def in_bytes(datatype: str) -> bytes:
    """The three pictures in a datatype's binary form."""
    if datatype == "BF16":
        return (PIXELS.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    small = PIXELS // 2 if datatype == "INT8" else PIXELS
    return small.astype(NUMERIC[datatype].stored).tobytes()


@pytest.mark.parametrize("datatype", sorted(NUMERIC))
def test_every_numeric_datatype_is_read_from_bytes(datatype: str) -> None:
    pixels = pixels_of(tensor(datatype=datatype, shape=PIXELS.shape, binary=in_bytes(datatype)))

    assert np.array_equal(pixels, PIXELS // 2 if datatype == "INT8" else PIXELS)


@pytest.mark.parametrize("datatype", sorted(name for name, datatype in NUMERIC.items() if datatype.in_json))
@pytest.mark.parametrize("flat", [True, False], ids=["flat", "nested"])
def test_json_may_be_flat_or_nested(datatype: str, flat: bool) -> None:
    values = PIXELS // 2
    data = values.reshape(-1).tolist() if flat else values.tolist()

    pixels = pixels_of(tensor(datatype=datatype, shape=PIXELS.shape, data=data, binary=None))

    assert np.array_equal(pixels, values)


@pytest.mark.parametrize("shape", [(2,), (2, 1)], ids=str)
def test_bytes_are_image_files(shape: tuple[int, ...]) -> None:
    assert images_of(tensor(datatype="BYTES", shape=shape, binary=elements(PNG, b"other"))) == [PNG, b"other"]


@pytest.mark.parametrize("nested", [True, False], ids=["[N,1]", "[N]"])
def test_images_in_json_are_base64(nested: bool) -> None:
    text = base64.b64encode(PNG).decode()
    data, shape = ([[text], [text]], (2, 1)) if nested else ([text, text], (2,))

    assert images_of(tensor(datatype="BYTES", shape=shape, data=data, binary=None)) == [PNG, PNG]


@pytest.mark.parametrize(
    ("members", "kind", "sentence"),
    [
        pytest.param({"name": "x"}, InvalidRequest, "unexpected inference input 'x' for model 'tiny'", id="name"),
        pytest.param({"datatype": "BOOL"}, InvalidRequest, "data-type is 'BOOL', but model 'tiny' expects", id="BOOL"),
        pytest.param({"datatype": "FP8"}, InvalidRequest, "data-type is 'FP8'", id="unknown datatype"),
        pytest.param({"datatype": "FP32"}, InvalidArray, "has 64 bytes; FP32 .* takes 256", id="bytes too few"),
        pytest.param({"binary": bytes(65)}, InvalidArray, "has 65 bytes; UINT8 .* takes 64", id="bytes too many"),
        pytest.param({"shape": (1, 8, 8, 0)}, InvalidArray, "send at least one image", id="zero size"),
        pytest.param({"shape": (0,), "datatype": "BYTES"}, InvalidArray, "send at least one image", id="no images"),
        pytest.param({"shape": (5,), "datatype": "BYTES"}, TooLarge, "5 images in one request", id="too many images"),
        pytest.param({"shape": (1 << 62,) * 8}, InvalidArray, "takes far more", id="overflow"),
        pytest.param({"shape": (1,) + (1 << 62,) * 7}, InvalidArray, "takes far more", id="overflow behind"),
        pytest.param({"data": [1, 2], "binary": None}, InvalidArray, "has 2 elements, but its shape", id="JSON few"),
        pytest.param({"data": [[1], []], "binary": None}, InvalidArray, "nested arrays", id="JSON ragged"),
        pytest.param({"data": ["a"], "binary": None}, InvalidArray, "nothing but numbers", id="JSON texts"),
        pytest.param({"data": None, "binary": None}, InvalidArray, "nothing but numbers", id="JSON null"),
        pytest.param({"data": [300] * 64, "binary": None}, InvalidArray, "that are not UINT8", id="JSON range"),
        pytest.param(
            {"data": [1] * 64, "binary": None, "datatype": "FP16"}, InvalidRequest, "FP16 data via JSON", id="JSON FP16"
        ),
        pytest.param(
            {"data": [1] * 64, "binary": None, "datatype": "BF16"}, InvalidRequest, "BF16 data via JSON", id="JSON BF16"
        ),
        pytest.param({"datatype": "BYTES", "shape": (1, 8, 8, 1)}, InvalidArray, r"have the shape \[N\]", id="shape"),
        pytest.param(
            {"datatype": "BYTES", "shape": (2,), "binary": elements(PNG)},
            InvalidArray,
            "within element 2",
            id="one only",
        ),
        pytest.param(
            {"datatype": "BYTES", "shape": (1,), "binary": elements(PNG)[:-1]},
            InvalidArray,
            "within element 1",
            id="cut",
        ),
        pytest.param(
            {"datatype": "BYTES", "shape": (1,), "binary": b"\xff" * 9}, InvalidArray, "within element 1", id="long lie"
        ),
        pytest.param(
            {"datatype": "BYTES", "shape": (1,), "binary": elements(PNG, b"")},
            InvalidArray,
            "4 bytes follow",
            id="more",
        ),
        pytest.param(
            {"datatype": "BYTES", "shape": (1,), "data": "x", "binary": None}, InvalidRequest, "base64", id="one text"
        ),
        pytest.param(
            {"datatype": "BYTES", "shape": (1,), "data": [3], "binary": None}, InvalidImage, "base64", id="a number"
        ),
        pytest.param(
            {"datatype": "BYTES", "shape": (2,), "data": ["aa=="], "binary": None}, InvalidArray, "1 elements", id="few"
        ),
    ],
)
def test_a_tensor_that_does_not_fit_is_an_error(
    members: dict[str, Any], kind: type[RequestError], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        read_inputs((tensor(**members),), TINY, LIMITS)


@pytest.mark.parametrize("count", [0, 2])
def test_a_model_has_one_input(count: int) -> None:
    with pytest.raises(InvalidRequest, match=f"expected 1 inputs but got {count} inputs for model 'tiny'"):
        read_inputs((tensor(),) * count, TINY, LIMITS)


def test_a_raw_body_of_a_pictures_size_is_pixels() -> None:
    inputs = read_raw(tiny_image(2).tobytes(), TINY)

    assert isinstance(inputs, PixelArray)
    assert np.array_equal(inputs.values, tiny_image(2)[None])


def test_any_other_raw_body_is_an_image_file() -> None:
    inputs = read_raw(PNG, TINY)

    assert isinstance(inputs, EncodedImages)
    assert inputs.images[0].content == PNG


@pytest.mark.parametrize("content", [b"", bytes(63), bytes(128)], ids=["nothing", "too little", "too much"])
def test_the_error_for_a_raw_body_that_is_neither_says_what_is_accepted(content: bytes) -> None:
    with pytest.raises(
        InvalidArray, match=f"has {len(content)} bytes: tiny takes an image file, or the 64 bytes of 8×8×1"
    ):
        read_raw(content, TINY)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_known_by_its_beginning(kind: str) -> None:
    assert isinstance(read_raw(file_of(gradient(), kind), TINY), EncodedImages)


def test_pixels_that_begin_like_a_file_are_pixels() -> None:
    pink = bytes([255, 216, 255]) * 64

    assert isinstance(read_raw(pink, COLOUR), PixelArray)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "BMP", "JPEG"])
def test_an_image_file_that_happens_to_be_of_that_size_is_an_image(kind: str) -> None:
    content = file_of(gradient(8, 8), kind)
    side = InputSpec("image", "uint8", "NHWC", None, len(content), 1, 1)

    assert isinstance(read_raw(content, tiny_metadata("tiny", input=side)), EncodedImages)


def test_millions_of_texts_for_one_image_are_not_decoded() -> None:
    given = tensor(datatype="BYTES", shape=(1,), data=[""] * 1_000_000, binary=None)
    tracemalloc.start()

    with pytest.raises(InvalidArray, match="has 1000000 elements"):
        read_inputs((given,), TINY, LIMITS)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20
