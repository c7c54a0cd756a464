"""The Open Inference Protocol over HTTP: what is wrong is rejected, and said."""

import base64
import gzip
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.environ import QUEUE_SECONDS
from tests.support.http.openinference import BYTES_IMAGE, IMAGE, INFER, JSON_IMAGE, LENGTH, infer
from tests.support.images.unusual_files import png_bomb


@pytest.mark.parametrize(
    ("path", "beginning"),
    [
        ("/v2/models/x", "Request for unknown model: 'x' is not found"),
        ("/v2/models/x/config", "Request for unknown model: 'x'"),
        ("/v2/models/x/ready", "Request for unknown model: 'x'"),
        ("/v2/models/x/stats", "Request for unknown model: 'x'"),
        (
            "/v2/models/mnist/versions/3",
            "Request for unknown model: 'mnist' version 3 is not found: 'mnist' has no version 3",
        ),
        ("/v2/nowhere", "there is no /v2/nowhere"),
        ("/v2/trace/setting", "there is no /v2/trace/setting"),
    ],
)
def test_what_is_not_there_is_a_404(client: FlaskClient, path: str, beginning: str) -> None:
    response = client.get(path)

    assert response.status_code == 404
    assert response.get_json()["error"].startswith(beginning)
    assert response.content_type == "application/json"


def test_a_wrong_verb_is_a_405(client: FlaskClient) -> None:
    assert client.get(INFER).status_code == 405
    assert client.post("/v2").status_code == 405


@pytest.mark.parametrize("path", ["/v2/repository/other/index", "/v2/repository/other/models/mnist/load"])
def test_there_is_one_repository(client: FlaskClient, path: str) -> None:
    response = client.post(path)

    assert (response.status_code, response.headers["X-Error-Code"]) == (501, "unsupported")


def test_a_version_that_is_not_ready_says_so(client: FlaskClient) -> None:
    response = client.get("/v2/models/mnist/versions/7/ready")

    assert (response.status_code, response.headers["X-Error-Code"]) == (503, "not_ready")
    assert response.get_json()["error"].startswith("Model version not ready")


@pytest.mark.parametrize(
    ("tensor", "status", "sentence"),
    [
        pytest.param({**IMAGE, "data": [1]}, 400, "has 1 elements", id="too few"),
        pytest.param({**IMAGE, "shape": [], "data": [1]}, 400, "shape []", id="no axes"),
        pytest.param({**IMAGE, "shape": [1, 1, 8, 8], "data": [1] * 64}, 400, "send [N,8,8,1]", id="NCHW"),
        pytest.param({**IMAGE, "shape": [64], "data": [1] * 64}, 400, "shape [64]: send [N,8,8,1]", id="flat"),
        pytest.param({**IMAGE, "datatype": "FP32", "data": [0.5] * 64}, 400, "send them raw", id="scaled"),
        pytest.param({**IMAGE, "datatype": "INT8", "data": [-1] * 64}, 400, "pixels are from 0 to 255", id="negative"),
        pytest.param({**IMAGE, "name": "input_1", "data": [1] * 64}, 400, "its input is 'image'", id="name"),
        pytest.param({**BYTES_IMAGE, "data": ["AAAA"]}, 400, "not an image", id="no image"),
        pytest.param(
            {**BYTES_IMAGE, "data": [base64.b64encode(png_bomb()).decode()]}, 413, "pixels, the limit is", id="bomb"
        ),
        pytest.param({**BYTES_IMAGE, "shape": [9], "data": [""] * 9}, 413, "9 images in one request", id="too many"),
    ],
)
def test_bad_tensors_are_rejected_with_what_to_send(
    client: FlaskClient, tensor: dict[str, Any], status: int, sentence: str
) -> None:
    response = infer(client, {"inputs": [tensor]})

    assert response.status_code == status
    assert sentence in response.get_json()["error"]


@pytest.mark.parametrize(
    ("outputs", "sentence"),
    [
        ([{"name": "x"}], "unexpected inference output 'x' for model 'mnist'"),
        ([{"name": "probabilities"}] * 2, "is requested 2 times"),
    ],
)
def test_bad_outputs_are_rejected(client: FlaskClient, outputs: list[Any], sentence: str) -> None:
    response = infer(client, {"inputs": [JSON_IMAGE], "outputs": outputs})

    assert response.status_code == 400
    assert sentence in response.get_json()["error"]


@pytest.mark.parametrize("length", ["-1", "1e3", "", "99999", "9" * 50, "٣"], ids=ascii)
def test_a_header_length_that_cannot_be_is_rejected(client: FlaskClient, length: str) -> None:
    response = client.post(INFER, data=b"{}", environ_overrides={"HTTP_INFERENCE_HEADER_CONTENT_LENGTH": length})

    assert response.status_code == 400
    assert f"{LENGTH} must be a whole number" in response.get_json()["error"]


def test_a_header_length_that_cuts_the_json_is_rejected(client: FlaskClient) -> None:
    response = client.post(INFER, json={"inputs": [JSON_IMAGE]}, headers={LENGTH: "10"})

    assert response.status_code == 400


@pytest.mark.parametrize(
    ("body", "coding", "status"),
    [
        pytest.param(b"{}", "br", 501, id="unknown"),
        pytest.param(b"{}", "gzip", 400, id="not compressed"),
        pytest.param(gzip.compress(bytes(2 << 20)), "gzip", 413, id="bomb"),
        pytest.param(b"{}", "identity", 400, id="none"),
    ],
)
def test_a_bad_encoding_is_rejected(client: FlaskClient, body: bytes, coding: str, status: int) -> None:
    response = client.post(INFER, data=body, headers={"Content-Encoding": coding})

    assert response.status_code == status
    assert response.get_json().keys() == {"error"}


@pytest.mark.parametrize("body", [b"[]", b"3", b"{", b'{"ready": 1}', b'{"ready":' + b"[" * 1020 + b"]" * 1020 + b"}"])
def test_a_bad_body_for_the_index_is_rejected(client: FlaskClient, body: bytes) -> None:
    assert client.post("/v2/repository/index", data=body).status_code == 400


def test_a_request_that_waited_longer_than_its_timeout_is_not_computed(client: FlaskClient) -> None:
    document = {"inputs": [JSON_IMAGE], "parameters": {"timeout": 1000}}
    waited = {QUEUE_SECONDS: 0.002}

    response = client.post(INFER, data=json.dumps(document), environ_overrides=waited)

    assert (response.status_code, response.headers["X-Error-Code"]) == (504, "deadline_exceeded")


def test_shared_memory_cannot_be_registered(client: FlaskClient) -> None:
    response = client.post("/v2/systemsharedmemory/region/r/register", data=b"{}")

    assert response.status_code == 400
    assert "no shared memory" in response.get_json()["error"]
