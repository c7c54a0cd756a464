"""TensorFlow Serving's REST interface, as its users call it: JSON bodies through `requests`."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import requests

from tests.support.bundles.tiny_batches import batch, batch_files, expected_probabilities
from tests.support.processes.service import RunningService

PIXELS = batch(5).tolist()
ENCODED = [{"b64": base64.b64encode(content).decode()} for content in batch_files(5)]
AVAILABLE = {"state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False  # no proxy stands between a test and its service
        yield session


@pytest.fixture
def models_url(service: RunningService) -> str:
    return f"http://127.0.0.1:{service.port}/v1/models"


@pytest.mark.parametrize(
    "instances",
    [
        PIXELS,
        [{"image": pixels} for pixels in PIXELS],
        ENCODED,
        [{"image": encoded} for encoded in ENCODED],
        [{"image_bytes": encoded} for encoded in ENCODED],
    ],
    ids=["pixels", "named pixels", "files", "named files", "files named bytes"],
)
@pytest.mark.parametrize("signature", [{}, {"signature_name": "serving_default"}], ids=["no signature", "signature"])
def test_rows_are_answered_by_rows(
    session: requests.Session, models_url: str, instances: list[Any], signature: dict[str, str]
) -> None:
    response = session.post(f"{models_url}/mnist:predict", json={**signature, "instances": instances})

    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    assert response.json().keys() == {"predictions"}
    assert np.array(response.json()["predictions"]) == pytest.approx(expected_probabilities(5), abs=1e-6)


@pytest.mark.parametrize(
    "inputs",
    [PIXELS, {"image": PIXELS}, ENCODED, {"image": ENCODED}, {"image_bytes": ENCODED}],
    ids=["pixels", "named pixels", "files", "named files", "files named bytes"],
)
def test_columns_are_answered_by_columns(session: requests.Session, models_url: str, inputs: Any) -> None:
    response = session.post(f"{models_url}/mnist:predict", json={"signature_name": "serving_default", "inputs": inputs})

    assert response.json().keys() == {"outputs"}
    assert np.array(response.json()["outputs"]) == pytest.approx(expected_probabilities(5), abs=1e-6)


def test_pixels_may_be_written_as_floats(session: requests.Session, models_url: str) -> None:
    response = session.post(f"{models_url}/mnist:predict", json={"instances": batch(5).astype(float).tolist()})

    assert np.array(response.json()["predictions"]) == pytest.approx(expected_probabilities(5), abs=1e-6)


def test_probabilities_are_written_as_floats_even_where_they_are_whole(
    session: requests.Session, models_url: str
) -> None:
    response = session.post(f"{models_url}/mnist:predict", json={"instances": PIXELS})

    rows = json.loads(response.text, parse_int=lambda text: pytest.fail(f"{text} is no float"))["predictions"]
    assert {type(value) for row in rows for value in row} == {float}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
def test_the_content_type_does_not_matter(session: requests.Session, models_url: str, kind: str | None) -> None:
    body = json.dumps({"instances": PIXELS}).encode()
    response = session.post(f"{models_url}/mnist:predict", data=body, headers={"Content-Type": kind} if kind else {})

    assert response.status_code == 200


@pytest.mark.parametrize(
    "examples",
    [
        [{"image": pixels} for pixels in PIXELS],
        [{"image": encoded} for encoded in ENCODED],
        [{"image_bytes": encoded} for encoded in ENCODED],
    ],
    ids=["pixels", "files", "files named bytes"],
)
def test_examples_are_classified_from_the_best_label_down(
    session: requests.Session, models_url: str, examples: list[Any]
) -> None:
    body = {"signature_name": "serving_default", "examples": examples}
    results = session.post(f"{models_url}/mnist:classify", json=body).json()["results"]

    best = [row[0][0] for row in results]
    scores = [[score for _, score in row] for row in results]
    assert best == ["left", "middle", "right", "left", "middle"]
    assert scores == [sorted(row, reverse=True) for row in scores]
    assert np.array(scores) == pytest.approx(np.sort(expected_probabilities(5))[:, ::-1], abs=1e-6)


def test_a_version_can_be_asked_for(session: requests.Session, models_url: str) -> None:
    response = session.post(f"{models_url}/mnist/versions/1:predict", json={"instances": PIXELS})

    assert response.status_code == 200
    assert np.array(response.json()["predictions"]) == pytest.approx(expected_probabilities(5), abs=1e-6)


@pytest.mark.parametrize(("path", "versions"), [("mnist", {"1", "2"}), ("mnist/versions/1", {"1"}), ("colour", {"1"})])
def test_the_status_of_a_model_is_that_of_its_versions(
    session: requests.Session, models_url: str, path: str, versions: set[str]
) -> None:
    document = session.get(f"{models_url}/{path}").json()

    assert document.keys() - {"model_version_status"} == (set() if "/" in path else {"name", "ready"})
    assert {each.pop("version") for each in document["model_version_status"]} == versions
    assert document["model_version_status"] == [AVAILABLE] * len(versions)


@pytest.mark.parametrize(("path", "version"), [("mnist", "2"), ("mnist/versions/1", "1")])
def test_the_metadata_describes_the_only_signature(
    session: requests.Session, models_url: str, path: str, version: str
) -> None:
    document = session.get(f"{models_url}/{path}/metadata").json()
    signatures = document["metadata"]["signature_def"]["signature_def"]
    signature = signatures["serving_default"]
    taken, given = signature["inputs"]["image"], signature["outputs"]["probabilities"]

    assert document["model_spec"] == {"name": "mnist", "signature_name": "", "version": version}
    assert signatures.keys() == {"serving_default"}
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert (taken["dtype"], sizes(taken)) == ("DT_UINT8", ["-1", "8", "8", "1"])
    assert (given["dtype"], sizes(given)) == ("DT_FLOAT", ["-1", "3"])


def sizes(tensor: dict[str, Any]) -> list[str]:
    """The lengths of a tensor's axes, as TensorFlow writes them."""
    assert tensor["tensor_shape"]["unknown_rank"] is False
    return [axis["size"] for axis in tensor["tensor_shape"]["dim"]]


def test_the_models_are_listed(session: requests.Session, models_url: str) -> None:
    assert sorted(session.get(models_url).json()["models"]) == ["colour", "mnist"]


def check(response: requests.Response, status: int, sentence: str) -> None:
    """Whether a failure is JSON with this sentence alone, and its headers have a code and an id."""
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/json")
    assert response.json().keys() == {"error"}
    assert response.headers.keys() >= {"X-Error-Code", "X-Request-ID"}
    assert sentence in response.json()["error"]


@pytest.mark.parametrize(
    ("line", "status", "sentence"),
    [
        ("POST /v1/models/nothing:predict", 404, "Latest(nothing): "),
        ("POST /v1/models/nothing:classify", 404, "Latest(nothing): "),
        ("GET /v1/models/nothing", 404, "Latest(nothing): "),
        ("GET /v1/models/nothing/metadata", 404, "Latest(nothing): "),
        ("POST /v1/models/mnist/versions/7:predict", 404, "Specific(mnist, 7): "),
        ("GET /v1/models/mnist/versions/7", 404, "Specific(mnist, 7): "),
        ("GET /v1/models/mnist/versions/7/metadata", 404, "Specific(mnist, 7): "),
        ("POST /v1/foo", 400, "Malformed request: POST /v1/foo"),
        ("GET /v1", 400, "Malformed request: GET /v1"),
        ("GET /v1/models/mnist/foo", 400, "Malformed request: GET /v1/models/mnist/foo"),
        ("POST /v1/models/mnist:foo", 400, "Malformed request: POST /v1/models/mnist:foo"),
        ("POST /v1/models/mnist", 400, "Malformed request: POST /v1/models/mnist"),
        ("GET /v1/models/mnist:predict", 400, "Malformed request: GET /v1/models/mnist:predict"),
        ("POST /v1/models/mnist/versions/one:predict", 400, "a version is a whole number"),
    ],
)
def test_a_path_that_leads_nowhere_says_so(
    session: requests.Session, models_url: str, line: str, status: int, sentence: str
) -> None:
    verb, path = line.split()
    response = session.request(verb, models_url.replace("/v1/models", path), json={"instances": PIXELS})

    check(response, status, sentence)


UNREADABLE = {
    "no body": ("", "The document is empty"),
    "half a body": ("{", "not valid JSON"),
    "no object": ("[]", "must be a JSON object"),
    "a deep pit": ("[" * 100_000, "not valid JSON"),
    "neither key": ({}, "Missing 'inputs' or 'instances' key"),
    "both keys": ({"instances": PIXELS, "inputs": PIXELS}, "only one of"),
    "no instances": ({"instances": []}, 'No values in "instances"'),
    "one bare instance": ({"instances": {"image": PIXELS[0]}}, '"instances" must be a list'),
    "another signature": ({"signature_name": "x", "instances": PIXELS}, '"x" not found'),
    "an unknown input": ({"instances": [{"picture": PIXELS[0]}]}, 'you named "picture"'),
    "an unknown column": ({"inputs": {"picture": PIXELS}}, 'you named "picture"'),
    "ragged pixels": ({"instances": [PIXELS[0], PIXELS[0][:3]]}, "Encountered list at unexpected size"),
    "pixels among files": ({"instances": [ENCODED[0], PIXELS[0]]}, "must have one form"),
    "files among pixels": ({"instances": [PIXELS[0], ENCODED[0]]}, "must have one form"),
    "wrong shape": ({"instances": [[1, 2, 3]]}, "mnist takes 8×8 grayscale images"),
    "too bright": ({"instances": [[[[256]] * 8] * 8]}, "pixels are from 0 to 255"),
    "fractions": ({"instances": [[[[0.5]] * 8] * 8]}, "whole numbers"),
    "NaN": ({"instances": [[[[float("nan")]] * 8] * 8]}, "NaN and Infinity are not JSON"),
    "text": ({"instances": [[[["1"]] * 8] * 8]}, "nothing but numbers"),
    "truth": ({"instances": [[[[True]] * 8] * 8]}, "nothing but numbers"),
    "no base64": ({"instances": [{"b64": "*"}]}, "not valid base64"),
    "no image": ({"instances": [{"b64": "AAAA"}]}, "not an image"),
    "more than base64": ({"instances": [{**ENCODED[0], "more": 1}]}, "which must be the only one"),
}


@pytest.mark.parametrize(("body", "sentence"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_makes_no_sense_says_what_is_wrong(
    session: requests.Session, models_url: str, body: str | dict[str, Any], sentence: str
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    response = session.post(f"{models_url}/mnist:predict", data=text, headers={"Content-Type": "application/json"})

    check(response, 400, sentence)


def test_more_images_than_a_request_may_have_are_too_many(session: requests.Session, models_url: str) -> None:
    response = session.post(f"{models_url}/mnist:predict", json={"instances": PIXELS * 52})

    check(response, 413, "260 images in one request are too many")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"instances": PIXELS}, "Missing 'examples' key"),
        ({"examples": PIXELS}, "example 1 must be an object"),
        ({"examples": []}, 'No values in "examples"'),
        ({"examples": [{}]}, "you named none"),
        ({"examples": [{"image": PIXELS[0]}, 5]}, "example 2 must be an object"),
    ],
    ids=["instances", "unnamed", "none", "empty", "a number"],
)
def test_what_is_to_be_classified_has_to_be_examples_by_name(
    session: requests.Session, models_url: str, body: dict[str, Any], sentence: str
) -> None:
    check(session.post(f"{models_url}/mnist:classify", json=body), 400, sentence)
