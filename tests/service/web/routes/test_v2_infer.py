"""The Open Inference Protocol over HTTP: every form of a request, and the answers' exact forms."""

import gzip
import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from tests.support.http.openinference import (
    BYTES_IMAGE,
    IMAGE,
    INFER,
    JSON_IMAGE,
    LENGTH,
    PNG,
    PNG_BASE64,
    classified,
    infer,
    labels,
    output,
)
from tests.support.images.drawn import tiny_image


def test_an_answer_has_the_protocols_form(client: FlaskClient) -> None:
    response = infer(client, {"id": "42", "inputs": [JSON_IMAGE]})

    document = response.get_json()
    assert list(document) == ["id", "model_name", "model_version", "outputs"]
    assert (document["id"], document["model_name"], document["model_version"]) == ("42", "mnist", "2")
    (scores,) = document["outputs"]
    assert (scores["name"], scores["datatype"], scores["shape"]) == ("probabilities", "FP32", [1, 3])
    assert sum(scores["data"]) == pytest.approx(1)
    assert response.content_type == "application/json"
    assert LENGTH not in response.headers
    assert "infer;dur=" in response.headers["Server-Timing"]


def test_an_answer_to_a_request_without_id_has_none(client: FlaskClient) -> None:
    assert "id" not in infer(client, {"inputs": [JSON_IMAGE]}).get_json()


@pytest.mark.parametrize(
    ("path", "version"),
    [
        (INFER, "2"),
        ("/v2/models/mnist/versions/1/infer", "1"),
        ("/v2/models/mnist/versions/0/infer", "2"),
        (f"{INFER}/", "2"),
    ],
)
def test_the_path_names_the_version(client: FlaskClient, path: str, version: str) -> None:
    assert infer(client, {"inputs": [JSON_IMAGE]}, path=path).get_json()["model_version"] == version


def test_the_rest_of_the_body_may_be_the_image(client: FlaskClient) -> None:
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1]}

    response = infer(client, {"inputs": [tensor], "outputs": [classified(1)]}, PNG)

    assert labels(response) == ["middle"]


@pytest.mark.parametrize(
    ("tensor", "binary"),
    [
        pytest.param(JSON_IMAGE, b"", id="JSON"),
        pytest.param(BYTES_IMAGE, b"", id="image in JSON"),
        pytest.param({**IMAGE, "parameters": {"binary_data_size": 64}}, tiny_image(1).tobytes(), id="binary"),
        pytest.param(
            {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(PNG) + 4}},
            struct.pack("<I", len(PNG)) + PNG,
            id="binary image",
        ),
    ],
)
def test_every_form_of_an_input_gives_the_native_answer(
    client: FlaskClient, tensor: dict[str, Any], binary: bytes
) -> None:
    top_k = client.post("/predict", data=PNG).get_json()["predictions"][0]["top_k"]

    found = output(infer(client, {"inputs": [tensor]}, binary))

    native = [each["probability"] for each in sorted(top_k, key=lambda each: each["index"])]
    assert np.array_equal(np.array(found["data"], np.float32), np.array(native, np.float32))


def test_binary_outputs_follow_the_json(client: FlaskClient) -> None:
    expected = output(infer(client, {"inputs": [JSON_IMAGE]}))["data"]

    response = infer(client, {"inputs": [JSON_IMAGE], "parameters": {"binary_data_output": True}})

    length = int(response.headers[LENGTH])
    (scores,) = json.loads(response.data[:length])["outputs"]
    assert response.content_type == "application/octet-stream"
    assert scores["parameters"] == {"binary_data_size": 12}
    assert "data" not in scores
    assert np.array_equal(np.frombuffer(response.data[length:], "<f4"), np.array(expected, np.float32))


@pytest.mark.parametrize("body", [PNG, tiny_image(1).tobytes()], ids=["image file", "pixels"])
def test_a_body_may_be_the_tensor_alone(client: FlaskClient, body: bytes) -> None:
    response = client.post(INFER, data=body, headers={LENGTH: "0"})

    length = int(response.headers[LENGTH])
    assert json.loads(response.data[:length])["outputs"][0]["shape"] == [1, 3]
    assert np.frombuffer(response.data[length:], "<f4").argmax() == 1


@pytest.mark.parametrize(("classes", "listed"), [(1, 1), (2, 2), (3, 3), (1000, 3)])
def test_classification_lists_the_best_classes_by_name(client: FlaskClient, classes: int, listed: int) -> None:
    document = {"inputs": [JSON_IMAGE], "outputs": [classified(classes)]}

    found = output(infer(client, document))

    value, index, label = found["data"][0].split(":")
    assert (found["datatype"], found["shape"], len(found["data"])) == ("BYTES", [1, listed], listed)
    assert (len(value), index, label) == (8, "1", "middle")
    values = [float(text.split(":")[0]) for text in found["data"]]
    assert values == sorted(values, reverse=True)


def test_classification_in_bytes_has_a_length_before_each_text(client: FlaskClient) -> None:
    document = {"inputs": [JSON_IMAGE], "outputs": [classified(2, binary_data=True)]}

    response = infer(client, document)

    blob = response.data[int(response.headers[LENGTH]) :]
    size = struct.unpack_from("<I", blob)[0]
    assert blob[4 : 4 + size].endswith(b":1:middle")
    assert json.loads(response.data[: int(response.headers[LENGTH])])["outputs"][0]["parameters"] == {
        "binary_data_size": len(blob)
    }


def test_a_batch_is_answered_in_its_order(client: FlaskClient) -> None:
    batch = np.stack([tiny_image(place) for place in (2, 0, 1)])
    tensor = {**IMAGE, "shape": [3, 8, 8, 1], "parameters": {"binary_data_size": batch.nbytes}}

    response = infer(client, {"inputs": [tensor], "outputs": [classified(1)]}, batch.tobytes())

    assert labels(response) == ["right", "left", "middle"]


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_requests_may_be_compressed(client: FlaskClient, coding: str, pack: Any) -> None:
    header = json.dumps({"inputs": [{**IMAGE, "parameters": {"binary_data_size": 64}}]}).encode()
    body = pack(header + tiny_image(1).tobytes())

    response = client.post(INFER, data=body, headers={LENGTH: str(len(header)), "Content-Encoding": coding})

    assert np.argmax(output(response)["data"]) == 1


@pytest.mark.parametrize(("coding", "bits"), [("gzip", 31), ("deflate", 15)])
def test_a_large_answer_is_compressed_as_the_client_likes(client: FlaskClient, coding: str, bits: int) -> None:
    images = {**BYTES_IMAGE, "shape": [8], "data": [PNG_BASE64] * 8}
    document = {"inputs": [images], "outputs": [classified(3)], "id": "x" * 1000}
    plain = infer(client, document)

    packed = infer(client, document, Accept_Encoding=f"br, {coding}")

    assert packed.headers["Content-Encoding"] == coding
    assert zlib.decompress(packed.data, bits) == plain.data
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0"])
def test_an_answer_is_sent_as_it_is_where_the_client_takes_nothing_else(client: FlaskClient, accepted: str) -> None:
    response = infer(client, {"inputs": [JSON_IMAGE], "id": "x" * 2000}, Accept_Encoding=accepted)

    assert "Content-Encoding" not in response.headers
