"""Bad input to /v1: always a sentence that says what to send, never a 500, and the next request works."""

import base64
import gzip
import json
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.telemetry.metrics import Metrics
from tests.support.bundles.tiny_batches import batch_files
from tests.support.images.unusual_files import png_bomb

FILE = {"b64": base64.b64encode(batch_files(1)[0]).decode()}
PIXELS = np.zeros((8, 8, 1)).tolist()
CLASSIFY = "/v1/models/mnist:classify"


def post(client: FlaskClient, body: bytes, path: str = "/v1/models/mnist:predict") -> TestResponse:
    return client.post(path, data=body)


def pixel(value: Any) -> Any:
    """An image whose first pixel is something else."""
    first, *others = PIXELS
    return [[[value], *first[1:]], *others]


BODIES = [
    pytest.param(b"", 400, "JSON Parse error: The document is empty", id="empty body"),
    pytest.param(b"\xff\xfe", 400, "not valid JSON", id="no text"),
    pytest.param(b'{"instances": [[[NaN]]]}', 400, "NaN and Infinity are not JSON", id="NaN"),
    pytest.param(b'{"instances": [[[Infinity]]]}', 400, "not valid JSON", id="infinity"),
    pytest.param(b'{"instances": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", 400, "not valid JSON", id="10,000 deep"),
    pytest.param(b"x" * (1 << 20) + b"x", 413, "larger than 1048576 bytes", id="over the byte limit"),
    pytest.param(b'{"instances": [[[1e999]]]}', 400, "number is infinity", id="1e999"),
    pytest.param(b'{"instances": [[[' + b"9" * 5_000 + b"]]]}", 400, "number is infinity", id="5,000 digits"),
    pytest.param(b'{"instances": ["\\ud800"]}', 400, "not valid JSON", id="half a surrogate"),
]
PITS = [
    pytest.param(b"[" * 60 + b"1" + b"]" * 60, "shape [1,1,1", id="60 lists"),
    pytest.param(b"[" * 1_000 + b"]" * 1_000, "Encountered list at unexpected size", id="1,000 lists"),
]
DOCUMENTS = [
    pytest.param([1], 400, "must be a JSON object", id="a list"),
    pytest.param("instances", 400, "must be a JSON object", id="a text"),
    pytest.param(None, 400, "must be a JSON object", id="null"),
    pytest.param({}, 400, "Missing 'inputs' or 'instances' key", id="neither"),
    pytest.param(json.loads(b'{"a": ' * 500 + b"1" + b"}" * 500), 400, "Missing 'inputs'", id="500 objects"),
    pytest.param({"instances": [FILE], "inputs": [FILE]}, 400, "only one of", id="both"),
    pytest.param({"instances": [FILE], "signature_name": "x"}, 400, 'name: "x" not found', id="signature"),
    pytest.param({"instances": [FILE], "signature_name": 5}, 400, "must be a string", id="signature a number"),
    pytest.param({"instances": [FILE], "signature_name": {}}, 400, "must be a string", id="signature an object"),
    *[
        pytest.param({member: value}, 400, f'"{member}" must be a list', id=f"{member} {value!r:.10}")
        for member in ("instances", "inputs")
        for value in (5, 0.5, True, None, "abc")
    ],
    *[
        pytest.param({member: value}, 400, sentence, id=f"{member} of {what}")
        for member in ("instances", "inputs")
        for value, sentence, what in (
            ([], "No values in", "nothing"),
            ([[]], "you sent an array of shape [1,0]", "an empty list"),
            ([[[], []]], "you sent an array of shape [1,2,0]", "empty lists"),
            ([1, 2], "shape [2]: send [N,8,8,1]", "numbers"),
            ([True], "image 1 is a truth value", "booleans"),
            ([None], "image 1 is null", "null"),
            (["abc"], "image 1 is a text", "texts"),
            ([FILE["b64"]], "image 1 is a text", "base64 without b64"),
            ([PIXELS, FILE], "must have one form", "kinds"),
            ([PIXELS, PIXELS[:4]], "Encountered list at unexpected size", "several sizes"),
            ([PIXELS[:7]], "[1,7,8,1]: send [N,8,8,1]", "a wrong size"),
            ([[[1, 2], [3]]], "Encountered list at unexpected size", "ragged lists"),
            ([pixel("a")], "nothing but numbers", "a text as the first pixel"),
            ([pixel(True)], "nothing but numbers", "true as the first pixel"),
            ([pixel(None)], "nothing but numbers", "null as a pixel"),
            ([pixel({})], "nothing but numbers", "an object as a pixel"),
            ([pixel(FILE)], "nothing but numbers", "a file as a pixel"),
            ([pixel([1, 2])], "Encountered list at unexpected size", "a list as a pixel"),
            ([pixel(256)], "pixels are from 0 to 255", "a pixel above 255"),
            ([pixel(-1)], "pixels are from 0 to 255", "a pixel below 0"),
            ([pixel(1e300)], "pixels are from 0 to 255", "a huge pixel"),
            ([pixel(0.5)], "whole numbers", "pixels scaled to 1"),
            ([{"b64": "&&&"}], "image 1 is not valid base64", "no base64"),
            ([{"b64": ""}], "the image is empty", "an empty file"),
            ([{"b64": None}], "image 1 must be a text", "b64 of null"),
            ([{"b64": [FILE]}], "image 1 must be a text", "b64 of a list"),
            ([{**FILE, "x": 1}], "which must be the only one", "b64 with another key"),
            ([{"b64": "aGVsbG8="}], "not an image", "a file that is no image"),
            ([FILE, {"b64": "aGVsbG8="}], "image 2: ", "a file that is no image among others"),
        )
    ],
    pytest.param({"instances": [{}]}, 400, "you named none", id="an empty object"),
    pytest.param({"instances": [{"": FILE}]}, 400, 'you named ""', id="an empty name"),
    pytest.param({"instances": [{"x" * 9999: FILE}]}, 400, 'mnist has one input, "image"', id="a long name"),
    pytest.param({"instances": [{"image": FILE}, FILE]}, 400, "or none does", id="named and not"),
    pytest.param({"instances": [{"image": None}]}, 400, "image 1 is null", id="a named null"),
    pytest.param({"instances": {"image": [FILE]}}, 400, '"instances" must be a list', id="instances an object"),
    pytest.param({"inputs": {"picture": [FILE]}}, 400, 'send {"image": <pixels>}', id="unknown name"),
    pytest.param({"inputs": {"image": "abc"}}, 400, '"inputs" must be a list', id="a named text"),
    pytest.param({"inputs": PIXELS}, 400, "shape [8,8,1]: send [N,8,8,1]", id="a column without its first axis"),
    pytest.param({"instances": [FILE] * 9}, 413, "9 images", id="too many images"),
    pytest.param(
        {"inputs": {"image": [0] * 100_000}}, 400, "shape [100000]: send [N,8,8,1]", id="far too many numbers"
    ),
    pytest.param({"inputs": [[0] * 8] * 9}, 400, "shape [9,8]: send [N,8,8,1]", id="rows without their image"),
    pytest.param(
        {"instances": [{"b64": base64.b64encode(png_bomb()).decode()}]}, 413, "2500000000 pixels", id="a bomb"
    ),
]
EXAMPLES = [
    pytest.param({"instances": [FILE]}, 400, "Missing 'examples' key", id="instances"),
    pytest.param({"examples": {}}, 400, '"examples" must be a list', id="examples an object"),
    pytest.param({"examples": []}, 400, "No values in", id="no examples"),
    pytest.param({"examples": [PIXELS]}, 400, "example 1 must be an object", id="a list"),
    pytest.param({"examples": [5]}, 400, "example 1 must be an object", id="a number"),
    pytest.param({"examples": [{}]}, 400, "you named none", id="no feature"),
    pytest.param({"examples": [{"x": 1}]}, 400, 'you named "x"', id="unknown feature"),
    pytest.param({"examples": [FILE]}, 400, 'you named "b64"', id="a file without a name"),
    pytest.param({"examples": [{"image": [0] * 63}]}, 400, "shape [1,63]: send [N,8,8,1]", id="63 pixels"),
    pytest.param({"examples": [{"image": [FILE, FILE]}]}, 400, "nothing but numbers", id="two files"),
    pytest.param({"examples": [{}], "context": 5}, 400, '"context" must be an object', id="context a number"),
    pytest.param({"examples": [{}], "context": {"image": [0] * 99_999}}, 400, "[1,99999]", id="context of pixels"),
    pytest.param({"examples": [{}] * 8, "context": {"image": [0] * 99_999}}, 400, "[8,99999]", id="shared context"),
    pytest.param({"examples": [{}] * 9, "context": {"image": FILE}}, 413, "9 images", id="too many examples"),
]
PATHS = [
    pytest.param("/v1/models/nothing", 404, "Servable not found for request: Latest(nothing): ", id="model"),
    pytest.param("/v1/models/nothing/versions/3", 404, "Specific(nothing, 3): ", id="model and version"),
    pytest.param("/v1/models/mnist/versions/3", 404, "Servable not found for request: Specific(mnist, 3): ", id="new"),
    pytest.param("/v1/models/mnist/versions/x", 400, "a version is a whole number", id="version x"),
    pytest.param("/v1/models/mnist/versions/-1", 400, "a version is a whole number", id="version -1"),
    pytest.param("/v1/models/nothing/versions/0", 404, "Latest(nothing): ", id="version 0 of no model"),
    pytest.param("/v1/models/mnist/versions/" + "9" * 5000, 400, "a version is a whole number", id="5,000 digits"),
    pytest.param("/v1/models/mnist/labels/x", 400, "Unrecognized servable version label: x: ", id="label"),
]


def check(response: TestResponse, status: int, sentence: str) -> None:
    document = json.loads(response.data)
    assert response.status_code == status, document
    assert sentence in document["error"]
    assert len(document["error"]) < 6_000
    assert document.keys() == {"error"}
    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("verb", ["predict", "classify"])
@pytest.mark.parametrize(("body", "status", "sentence"), BODIES)
def test_a_body_that_cannot_be_read_is_answered_with_the_reason(
    client: FlaskClient, body: bytes, status: int, sentence: str, verb: str
) -> None:
    check(post(client, body, f"/v1/models/mnist:{verb}"), status, sentence)
    assert post(client, json.dumps({"instances": [FILE]}).encode()).status_code == 200


@pytest.mark.parametrize(("pit", "sentence"), PITS)
def test_lists_as_deep_as_json_allows_are_no_image(client: FlaskClient, pit: bytes, sentence: str) -> None:
    check(post(client, b'{"instances": %b}' % pit), 400, sentence)
    check(post(client, b'{"examples": %b}' % pit, CLASSIFY), 400, "example 1 must be an object")
    check(post(client, b'{"examples": [{"image": %b}]}' % pit, CLASSIFY), 400, sentence)


@pytest.mark.parametrize(("document", "status", "sentence"), DOCUMENTS)
def test_a_bad_tensor_is_answered_with_what_to_send(
    client: FlaskClient, document: object, status: int, sentence: str
) -> None:
    check(post(client, json.dumps(document).encode()), status, sentence)
    assert post(client, json.dumps({"instances": [FILE]}).encode()).status_code == 200


@pytest.mark.parametrize(("document", "status", "sentence"), EXAMPLES)
def test_a_bad_example_is_answered_with_what_to_send(
    client: FlaskClient, document: object, status: int, sentence: str
) -> None:
    check(post(client, json.dumps(document).encode(), CLASSIFY), status, sentence)


@pytest.mark.parametrize(("path", "status", "sentence"), PATHS)
def test_what_there_is_not_is_said_in_every_operation(
    client: FlaskClient, path: str, status: int, sentence: str
) -> None:
    body = json.dumps({"instances": [FILE]}).encode()

    for response in (
        *[post(client, body, f"{path}:{verb}") for verb in ("predict", "classify", "regress")],
        client.get(path),
        client.get(f"{path}/metadata"),
    ):
        check(response, status, sentence)


def test_a_body_that_is_too_large_without_its_compression_is_rejected(client: FlaskClient) -> None:
    body = gzip.compress(b'{"instances": [' + b" " * (2 << 20) + b"]}")

    response = client.post("/v1/models/mnist:predict", data=body, headers={"Content-Encoding": "gzip"})

    check(response, 413, "decompresses to more than 1048576 bytes")


@pytest.mark.parametrize("verb", ["predict", "classify"])
def test_a_body_that_is_no_json_is_a_failure_of_the_model_that_was_asked(
    client: FlaskClient, metrics: Metrics, verb: str
) -> None:
    post(client, b"{", f"/v1/models/mnist:{verb}")

    assert metrics.statistics.read("mnist", 2).failed.count == 1


def test_every_failure_is_counted_by_its_code_and_route(client: FlaskClient) -> None:
    post(client, b"{}")
    client.get("/v1/foo")

    text = client.get("/metrics").text
    assert 'convserve_rejected_total{reason="invalid_request"} 2.0' in text
    assert 'route="/v1/models/<name>:predict",status="400"} 1.0' in text
