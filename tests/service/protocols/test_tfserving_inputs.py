"""From the values of TensorFlow Serving requests, in any of their forms, to inputs."""

import base64
from typing import Any

import numpy as np
import pytest

from service.codecs.inputs import EncodedImages, Inputs, PixelArray
from service.codecs.limits import Limits
from service.errors import InvalidRequest, TooLarge
from service.protocols.tfserving.inputs import read_classify, read_predict
from service.protocols.tfserving.request import ClassifyRequest, PredictRequest
from tests.support.bundles.tiny import tiny_metadata
from tests.support.bundles.tiny_batches import batch, batch_files

MNIST = tiny_metadata("mnist")
LIMITS = Limits(max_pixels=1000, max_request_pixels=10_000, max_images=3)

PIXELS = batch(2).tolist()
GRAY = batch(2)[..., 0].tolist()
FLAT = [pixels.ravel().tolist() for pixels in batch(2)]
FILES = [{"b64": base64.b64encode(content).decode()} for content in batch_files(2)]


def predict(by_row: bool, value: Any) -> Inputs:
    return read_predict(PredictRequest(by_row, value), MNIST, LIMITS)


def classify(examples: Any, context: dict[str, Any] | None = None) -> Inputs:
    return read_classify(ClassifyRequest(examples, context or {}), MNIST, LIMITS)


def contents(inputs: Inputs) -> list[bytes]:
    assert isinstance(inputs, EncodedImages)
    return [image.content for image in inputs.images]


def values(inputs: Inputs) -> Any:
    assert isinstance(inputs, PixelArray)
    return inputs.values.tolist()


@pytest.mark.parametrize(
    ("by_row", "value"),
    [
        pytest.param(True, FILES, id="row"),
        pytest.param(True, [{"image": each} for each in FILES], id="row, named"),
        pytest.param(True, [{"image_bytes": each} for each in FILES], id="row, named as bytes"),
        pytest.param(False, FILES, id="column"),
        pytest.param(False, {"image": FILES}, id="column, named"),
        pytest.param(False, {"image_bytes": FILES}, id="column, named as bytes"),
        pytest.param(True, [[each] for each in FILES], id="row, in lists of one"),
        pytest.param(True, [[[[each]]] for each in FILES], id="row, in deep lists of one"),
        pytest.param(False, [[each] for each in FILES], id="column, in lists of one"),
        pytest.param(True, [{"image": [[each]]} for each in FILES], id="row, named, in lists of one"),
        pytest.param(True, [{"image_bytes": each, "key": "1"} for each in FILES], id="KServe's sample for TensorFlow"),
        pytest.param(True, [{"data": each["b64"], "target": 0} for each in FILES], id="KServe's sample for TorchServe"),
        pytest.param(False, {"data": [each["b64"] for each in FILES]}, id="column of data"),
    ],
)
def test_every_form_of_files_gives_the_same(by_row: bool, value: Any) -> None:
    assert contents(predict(by_row, value)) == batch_files(2)


@pytest.mark.parametrize(
    ("by_row", "value", "expected"),
    [
        pytest.param(True, PIXELS, PIXELS, id="row"),
        pytest.param(True, [{"image": each} for each in PIXELS], PIXELS, id="row, named"),
        pytest.param(True, GRAY, GRAY, id="row, without channels"),
        pytest.param(True, [{"data": each} for each in PIXELS], PIXELS, id="row, as data"),
        pytest.param(False, PIXELS, PIXELS, id="column"),
        pytest.param(False, {"image": PIXELS}, PIXELS, id="column, named"),
        pytest.param(False, GRAY, GRAY, id="column, without channels"),
    ],
)
def test_every_form_of_pixels_gives_the_same(by_row: bool, value: Any, expected: Any) -> None:
    assert values(predict(by_row, value)) == expected


@pytest.mark.parametrize("value", [FILES[0], {"image": FILES[0]}, {"image_bytes": FILES[0]}])
def test_a_column_may_be_one_file(value: Any) -> None:
    assert contents(predict(False, value)) == batch_files(1)


@pytest.mark.parametrize("feature", ["image", "image_bytes"])
def test_an_example_has_a_file_or_a_list_of_one(feature: str) -> None:
    assert contents(classify([{feature: FILES[0]}, {feature: [FILES[1]]}])) == batch_files(2)


def test_a_context_that_no_example_needs_is_ignored() -> None:
    assert contents(classify([{"image": FILES[0]}], {"user": "x", "image": "no image"})) == batch_files(1)


def test_other_features_of_the_context_are_ignored() -> None:
    assert contents(classify([{}], {"image": FILES[0], "user": "x"})) == batch_files(1)


def test_an_example_has_pixels_nested_or_flat() -> None:
    assert values(classify([{"image": PIXELS[0]}, {"image": FLAT[1]}])) == PIXELS
    assert values(classify([{"image": each} for each in GRAY])) == GRAY


def test_the_context_is_the_feature_of_every_example_without_its_own() -> None:
    first, second = batch_files(2)

    assert contents(classify([{}, {"image": FILES[1]}, {}], {"image_bytes": FILES[0]})) == [first, second, first]
    assert values(classify([{}, {}], {"image": FLAT[1]})) == [PIXELS[1], PIXELS[1]]


def test_the_image_of_the_context_is_read_once() -> None:
    inputs = classify([{}, {}], {"image": FILES[0]})

    assert isinstance(inputs, EncodedImages)
    assert inputs.images[0] is inputs.images[1]
    assert inputs.images[0].name == 'the image of "context"'


@pytest.mark.parametrize(
    ("by_row", "value", "sentence"),
    [
        pytest.param(True, [{"image": FILES[0]}, FILES[1]], "either each names its tensor, or none does", id="names"),
        pytest.param(True, [{"image": FILES[0]}, PIXELS[1]], "either each names", id="names and pixels"),
        pytest.param(True, [FILES[0], PIXELS[1]], "must have one form: either pixels or", id="kinds"),
        pytest.param(True, [{"image": FILES[0]}, {"image": PIXELS[1]}], "must have one form", id="named kinds"),
        pytest.param(False, [FILES[0], PIXELS[1]], "must have one form", id="kinds in a column"),
        pytest.param(True, [{"key": "1"}], 'you named "key"', id="a key alone"),
        pytest.param(True, [{"image": PIXELS[0], "data": PIXELS[0]}], 'you named "image", "data"', id="two images"),
        pytest.param(True, [{}], 'mnist has one input, "image"; you named none: send', id="an empty object"),
        pytest.param(True, [{"picture": PIXELS[0]}], 'you named "picture": send {"image": <pixels>}', id="name"),
        pytest.param(True, [{"image": PIXELS[0], "x": 1}], 'you named "image", "x"', id="one name too many"),
        pytest.param(
            True, [{"image": PIXELS[0], "image_bytes": FILES[0]}], 'named "image", "image_bytes"', id="both names"
        ),
        pytest.param(False, {"picture": PIXELS}, 'or {"image_bytes": {"b64"', id="name in a column"),
        pytest.param(False, {}, "you named none", id="no name in a column"),
        pytest.param(False, {"image": {"image": PIXELS}}, '"inputs" must be a list', id="names in names"),
        pytest.param(True, [{"image": {"image": PIXELS[0]}}], 'an object without "b64"', id="names in rows' names"),
        pytest.param(True, FILES[0], '"instances" must be a list', id="one file as rows"),
        pytest.param(True, {"image": FILES}, '"instances" must be a list', id="a column as rows"),
        pytest.param(False, "YWJj", '"inputs" must be a list', id="a text"),
        pytest.param(False, {"image": "YWJj"}, '"inputs" must be a list', id="a named text"),
        pytest.param(True, ["YWJj"], "image 1 is a text", id="a text in a row"),
        pytest.param(True, [{"image_bytes": "YWJj"}], "image 1 is a text", id="a text as bytes"),
        pytest.param(False, {"image": []}, 'No values in "inputs"', id="no images"),
    ],
)
def test_the_error_for_what_is_no_tensor_gives_the_form(by_row: bool, value: Any, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        predict(by_row, value)

    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("examples", "context", "sentence"),
    [
        pytest.param({}, {}, '"examples" must be a list', id="examples an object"),
        pytest.param([], {}, 'No values in "examples"', id="no examples"),
        pytest.param([FLAT[0]], {}, "example 1 must be an object of features", id="a list as example"),
        pytest.param([{}], {}, "you named none", id="no feature"),
        pytest.param([{"x": 1}], {"image": FILES[0]}, 'you named "x"', id="unknown feature"),
        pytest.param([{}], {"x": 1}, 'you named "x"', id="unknown feature in the context"),
        pytest.param([{"image": "a"}], {}, "image 1 is a text", id="a text"),
        pytest.param([{}], {"image": "a"}, 'the image of "context" is a text', id="a text in the context"),
        pytest.param([{"image": [{"x": 1}]}], {}, 'an object without "b64"', id="a list of something"),
        pytest.param([{"image": FILES[0]}, {"image": FLAT[0]}], {}, "must have one form", id="kinds"),
    ],
)
def test_the_error_for_what_is_no_example_gives_the_form(examples: Any, context: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        classify(examples, context)

    assert sentence in str(raised.value)


@pytest.mark.parametrize("by_row", [True, False])
def test_images_are_counted_before_one_is_read(by_row: bool) -> None:
    with pytest.raises(TooLarge, match="4 images"):
        predict(by_row, ["?"] * 4)
    with pytest.raises(TooLarge, match="4 images"):
        classify(["?"] * 4)


def test_the_name_is_the_one_of_the_models_input() -> None:
    spec = tiny_metadata("mnist").input
    other = tiny_metadata("mnist", input=type(spec)(**{**vars(spec), "name": "digits"}))

    inputs = read_predict(PredictRequest(False, {"digits": PIXELS}), other, LIMITS)

    assert np.array_equal(values(inputs), PIXELS)
