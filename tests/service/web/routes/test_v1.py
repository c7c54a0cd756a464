"""/v1: what clients of TensorFlow Serving and of KServe v1 send, and get."""

import base64
import gzip
import json
import re
import zlib
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from preprocessing.png import encode_png
from tests.support.bundles.tiny import LABELS
from tests.support.bundles.tiny_batches import batch, batch_files, expected_probabilities
from tests.support.images.drawn import tiny_image

FILES = [{"b64": base64.b64encode(content).decode()} for content in batch_files(3)]
FORMS = [
    pytest.param({"instances": FILES}, "predictions", id="row of files"),
    pytest.param({"instances": [{"image_bytes": each} for each in FILES]}, "predictions", id="row of named files"),
    pytest.param({"instances": batch(3).tolist()}, "predictions", id="row of pixels"),
    pytest.param({"instances": batch(3)[..., 0].tolist()}, "predictions", id="row of pixels without channels"),
    pytest.param({"inputs": FILES}, "outputs", id="column of files"),
    pytest.param({"inputs": {"image": batch(3).tolist()}}, "outputs", id="column of named pixels"),
]


def post(client: FlaskClient, document: object, path: str = "/v1/models/mnist:predict", **options: Any) -> TestResponse:
    return client.post(path, data=json.dumps(document).encode(), **options)


# Prediction


@pytest.mark.parametrize(("document", "member"), FORMS)
def test_every_form_gets_all_probabilities_of_each_image(
    client: FlaskClient, document: dict[str, Any], member: str
) -> None:
    response = post(client, document)

    assert response.status_code == 200, response.data
    assert response.headers["Content-Type"] == "application/json"
    assert response.get_json().keys() == {member}
    assert np.allclose(response.get_json()[member], expected_probabilities(3))


def test_probabilities_are_those_of_the_native_protocol_to_the_last_bit(client: FlaskClient) -> None:
    native = client.post("/predict", data=batch_files(1)[0], content_type="image/png").get_json()["predictions"][0][
        "top_k"
    ]

    (row,) = post(client, {"instances": FILES[:1]}).get_json()["predictions"]

    by_index = sorted(native, key=lambda ranked: int(ranked["index"]))
    assert np.array(row, np.float32).tolist() == [ranked["probability"] for ranked in by_index]


def test_a_column_of_one_file_is_answered_with_one_row(client: FlaskClient) -> None:
    assert np.shape(post(client, {"inputs": FILES[0]}).get_json()["outputs"]) == (1, 3)


def test_a_file_is_prepared_by_the_models_own_rules(client: FlaskClient) -> None:
    large = encode_png(tiny_image(1).repeat(10, axis=0).repeat(10, axis=1))
    document = {"instances": [{"b64": base64.b64encode(large).decode()}]}

    mono = post(client, document).get_json()["predictions"]
    colour = post(client, document, "/v1/models/colour:predict").get_json()["predictions"]

    assert np.argmax(mono) == np.argmax(colour) == 1


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "image/png"]
)
def test_the_content_type_of_a_request_is_ignored(client: FlaskClient, content_type: str | None) -> None:
    assert post(client, {"instances": FILES}, content_type=content_type).status_code == 200


@pytest.mark.parametrize(("coding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_body_may_be_compressed(client: FlaskClient, coding: str, encode: Any) -> None:
    body = encode(json.dumps({"instances": FILES}).encode())

    response = client.post("/v1/models/mnist:predict", data=body, headers={"Content-Encoding": coding})

    assert response.status_code == 200


def test_server_timing_names_every_stage(client: FlaskClient) -> None:
    timing = post(client, {"instances": FILES}).headers["Server-Timing"]

    assert re.findall(r"(\w+);dur=", timing) == ["queue", "decode", "preprocess", "infer", "encode"]


def test_a_prediction_is_in_the_log_and_in_the_metrics(client: FlaskClient, log: list[bytes]) -> None:
    response = post(client, {"instances": FILES}, headers={"X-Request-ID": "mine"})

    line = json.loads(log[-1])
    text = client.get("/metrics").text
    assert response.headers["X-Request-ID"] == "mine"
    assert line.items() >= {"model": "mnist", "version": 2, "images": 3, "label": "left"}.items()
    assert 'http_requests_total{method="POST",route="/v1/models/<name>:predict",status="200"} 1.0' in text
    assert 'convserve_predictions_total{label="left",model="mnist",version="2"} 1.0' in text


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/v1/models/mnist:predict", 2),
        ("/v1/models/mnist/versions/1:predict", 1),
        ("/v1/models/mnist/versions/0:predict", 2),
        ("/v1/models/mnist%3Apredict", 2),
    ],
)
def test_the_path_names_model_and_version(client: FlaskClient, log: list[bytes], path: str, version: int) -> None:
    assert post(client, {"instances": FILES}, path).status_code == 200
    assert json.loads(log[-1])["version"] == version


# Classification


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"examples": [{"image": each} for each in FILES]}, id="files"),
        pytest.param({"examples": [{"image_bytes": [each]} for each in FILES]}, id="lists of one file"),
        pytest.param({"examples": [{"image": pixels.ravel().tolist()} for pixels in batch(3)]}, id="flat pixels"),
        pytest.param({"examples": [{"image": pixels.tolist()} for pixels in batch(3)]}, id="nested pixels"),
        pytest.param(
            {"context": {"image": FILES[1]}, "examples": [{"image": FILES[0]}, {}, {"image": FILES[2]}]}, id="context"
        ),
    ],
)
def test_every_form_of_an_example_gets_all_labels_the_most_probable_first(
    client: FlaskClient, document: dict[str, Any]
) -> None:
    results = post(client, document, "/v1/models/mnist:classify").get_json()["results"]

    assert [row[0][0] for row in results] == list(LABELS)
    assert all({label for label, _ in row} == set(LABELS) for row in results)
    assert np.allclose([[p for _, p in row] for row in results], np.sort(expected_probabilities(3))[:, ::-1])


def test_a_classifier_has_no_regression(client: FlaskClient) -> None:
    response = post(client, {"examples": []}, "/v1/models/mnist:regress")

    assert response.status_code == 400
    assert response.get_json()["error"].startswith("mnist is a classifier")


# Models


def test_the_models_are_listed_as_kserve_does(client: FlaskClient) -> None:
    assert client.get("/v1/models").get_json() == {"models": ["colour", "mnist"]}


def test_the_status_suits_both_protocols(client: FlaskClient) -> None:
    good = {"state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}

    assert client.get("/v1/models/mnist").get_json() == {
        "name": "mnist",
        "ready": True,
        "model_version_status": [{"version": "2", **good}, {"version": "1", **good}],
    }


def test_the_status_of_one_version_is_of_it_alone_and_has_no_other_member(client: FlaskClient) -> None:
    document = client.get("/v1/models/mnist/versions/1").get_json()

    assert document.keys() == {"model_version_status"}
    assert [each["version"] for each in document["model_version_status"]] == ["1"]


def test_the_status_of_version_0_is_that_of_all_versions_as_in_openvino_model_server(client: FlaskClient) -> None:
    document = client.get("/v1/models/mnist/versions/0").get_json()

    assert document.keys() == {"model_version_status"}
    assert [each["version"] for each in document["model_version_status"]] == ["2", "1"]


def test_a_rejected_version_has_ended_with_its_reason(damaged: FlaskClient) -> None:
    bad, good = damaged.get("/v1/models/mnist").get_json()["model_version_status"]

    assert (good["version"], good["state"]) == ("1", "AVAILABLE")
    assert (bad["version"], bad["state"], bad["status"]["error_code"]) == ("2", "END", "FAILED_PRECONDITION")
    assert bad["status"]["error_message"].startswith("model.onnx has 1 bytes")


def test_a_model_without_a_served_version_is_not_ready_and_the_error_says_why(damaged: FlaskClient) -> None:
    response = damaged.get("/v1/models/other")

    assert (response.status_code, response.headers["X-Error-Code"]) == (503, "not_ready")
    assert response.get_json().keys() == {"error"}
    assert "version 1: model.onnx has 1 bytes" in response.get_json()["error"]


@pytest.mark.parametrize("path", ["/v1/models/other/versions/1", "/v1/models/mnist/versions/2"])
def test_the_status_of_a_version_that_is_not_served_is_no_error(damaged: FlaskClient, path: str) -> None:
    response = damaged.get(path)

    (status,) = response.get_json()["model_version_status"]
    assert (response.status_code, status["state"]) == (200, "END")


def test_a_rejected_version_leaves_the_old_one_answering(damaged: FlaskClient) -> None:
    assert post(damaged, {"instances": FILES}).status_code == 200
    assert post(damaged, {"instances": FILES}, "/v1/models/mnist/versions/2:predict").status_code == 404


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/v1/models/mnist/metadata", "2"),
        ("/v1/models/mnist/versions/1/metadata", "1"),
        ("/v1/models/mnist/versions/0/metadata", "2"),
    ],
)
def test_the_metadata_is_of_the_version_that_answers(client: FlaskClient, path: str, version: str) -> None:
    document = client.get(path).get_json()

    signature = document["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert document["model_spec"]["version"] == version
    assert [axis["size"] for axis in signature["inputs"]["image"]["tensor_shape"]["dim"]] == ["-1", "8", "8", "1"]


# What is no route


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1"),
        ("GET", "/v1/"),
        ("POST", "/v1/foo"),
        ("GET", "/v1//models"),
        ("GET", "/v1/models//mnist"),
        ("POST", "/v1/models"),
        ("POST", "/v1/models/mnist"),
        ("DELETE", "/v1/models/mnist"),
        ("BREW", "/v1/models/mnist"),
        ("GET", "/v1/models/mnist:predict"),
        ("PUT", "/v1/models/mnist:predict"),
        ("GET", "/v1/models/mnist/versions/1:classify"),
        ("POST", "/v1/models/mnist:explain"),
        ("POST", "/v1/models/a:b:predict"),
        ("GET", "/v1/models/mnist/versions"),
        ("GET", "/v1/models/mnist/labels/stable:predict"),
        ("POST", "/v1/models/mnist/metadata"),
    ],
)
def test_what_is_no_route_is_a_malformed_request(client: FlaskClient, method: str, path: str) -> None:
    response = client.open(path, method=method)

    document = response.get_json()
    assert (response.status_code, response.headers["X-Error-Code"]) == (400, "invalid_request")
    assert document["error"].startswith(f"Malformed request: {method} {path}: send POST to /v1/models/<name>:predict")


@pytest.mark.parametrize("path", ["/v10", "/v1x/models", "/models/v1/x"])
def test_other_paths_are_not_this_protocols(client: FlaskClient, path: str) -> None:
    assert client.get(path).get_json()["code"] == "route_not_found"


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/v1/models/mnist:predict", {"POST", "OPTIONS"}), ("/v1/models/mnist", {"GET", "HEAD", "OPTIONS"})],
)
def test_options_are_answered_with_the_methods_of_the_route(client: FlaskClient, path: str, methods: set[str]) -> None:
    response = client.options(path)

    assert response.status_code == 200
    assert set(response.headers["Allow"].split(", ")) == methods
