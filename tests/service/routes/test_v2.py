"""The Open Inference Protocol over HTTP: its routes, its answers' exact forms, and its errors."""

import base64
import gzip
import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.dialects.openinference.dialect import OpenInference
from service.errors import NotReady
from service.inference import Inference
from service.limits import Limits
from service.metrics import Metrics
from service.registry import LoadedVersion, ModelRegistry
from tests.support.oddities import png_bomb
from tests.support.pictures import as_png, picture

INFER = "/v2/models/mnist/infer"
LENGTH = "Inference-Header-Content-Length"
PNG = as_png(picture(1))
IMAGE = {"name": "image", "datatype": "UINT8", "shape": [1, 8, 8, 1]}
JSON_IMAGE = {**IMAGE, "data": picture(1).reshape(-1).tolist()}
TEXT = base64.b64encode(PNG).decode()
BYTES_IMAGE = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [TEXT]}


def infer(client: FlaskClient, document: Any, binary: bytes = b"", path: str = INFER, **headers: str) -> TestResponse:
    """Post a request's JSON and bytes as Triton's client does: without a Content-Type."""
    header = json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    length = {LENGTH: str(len(header))} if binary else {}
    return client.post(path, data=header + binary, headers={**length, **named})


def output(response: TestResponse) -> dict[str, Any]:
    """The one output of an answer in JSON."""
    assert response.status_code == 200, response.data
    (found,) = response.get_json()["outputs"]
    return dict(found)


def labels(response: TestResponse) -> list[str]:
    """The best label of each image of a request for the classification of one."""
    return [text.split(":")[2] for text in output(response)["data"]]


# The server and its models


def test_the_server_says_what_it_can_do(client: FlaskClient) -> None:
    document = client.get("/v2").get_json()

    assert document["name"] == "convserve"
    assert {"binary_tensor_data", "classification", "statistics"} <= set(document["extensions"])


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True, "live": True}),
        ("/v2/models/mnist/ready", {"name": "mnist", "ready": True}),
        ("/v2/models/mnist/versions/1/ready", {"name": "mnist", "ready": True}),
        ("/v2/models", {"models": ["colour", "mnist"]}),
        ("/v2/systemsharedmemory/status", []),
        ("/v2/cudasharedmemory/region/r/status", []),
    ],
)
def test_what_clients_ask_first_is_answered_for_all_of_them(client: FlaskClient, path: str, document: Any) -> None:
    response = client.get(path)

    assert (response.status_code, response.get_json()) == (200, document)
    assert response.content_type == "application/json"


@pytest.mark.parametrize("path", ["/v2/models/colour", "/v2/models/colour/versions/1", "/v2/models/colour/"])
def test_metadata_says_what_may_be_sent(client: FlaskClient, path: str) -> None:
    assert client.get(path).get_json() == {
        "name": "colour",
        "versions": ["1"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "image", "datatype": "UINT8", "shape": [-1, 8, 8, 3]}],
        "outputs": [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]}],
    }


@pytest.mark.parametrize("path", ["/v2/models/mnist/config", "/v2/models/mnist/versions/2/config"])
def test_the_configuration_has_what_clients_read(client: FlaskClient, path: str) -> None:
    config = client.get(path).get_json()

    assert (config["name"], config["backend"], config["max_batch_size"]) == ("mnist", "onnxruntime", 8)
    (image,), (scores,) = config["input"], config["output"]
    assert (image["data_type"], image["format"], image["dims"]) == ("TYPE_UINT8", "FORMAT_NHWC", [8, 8, 1])
    assert (scores["data_type"], scores["dims"]) == ("TYPE_FP32", [3])
    assert config["version_policy"] == {"specific": {"versions": [1, 2]}}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ready": true}', b' {"ready": false} '], ids=str)
def test_the_index_lists_every_version_with_its_state(client: FlaskClient, body: bytes) -> None:
    rows = client.post("/v2/repository/index", data=body).get_json()

    assert rows[0] == {"name": "colour", "version": "1", "state": "READY", "reason": ""}
    assert [(row["name"], row["version"]) for row in rows] == [("colour", "1"), ("mnist", "1"), ("mnist", "2")]


@pytest.mark.parametrize("verb", ["load", "unload"])
@pytest.mark.parametrize("body", [b"", b"{}", b'{"parameters": {"unload_dependents": false}}'], ids=str)
def test_loading_is_refused_with_the_way_to_do_it(client: FlaskClient, verb: str, body: bytes) -> None:
    response = client.post(f"/v2/repository/models/mnist/{verb}", data=body)

    assert (response.status_code, response.get_json()["code"]) == (503, "loading_not_allowed")
    assert response.get_json()["error"].startswith("explicit model load / unload is not allowed")


@pytest.mark.parametrize("kind", ["systemsharedmemory", "cudasharedmemory"])
@pytest.mark.parametrize("path", ["unregister", "region/r/unregister"])
def test_unregistering_shared_memory_that_is_not_there_succeeds(client: FlaskClient, kind: str, path: str) -> None:
    response = client.post(f"/v2/{kind}/{path}")

    assert (response.status_code, response.data) == (200, b"")


# Inference


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
    ("path", "version"), [(INFER, "2"), ("/v2/models/mnist/versions/1/infer", "1"), (f"{INFER}/", "2")]
)
def test_the_path_names_the_version(client: FlaskClient, path: str, version: str) -> None:
    assert infer(client, {"inputs": [JSON_IMAGE]}, path=path).get_json()["model_version"] == version


@pytest.mark.parametrize(
    ("tensor", "binary"),
    [
        pytest.param(JSON_IMAGE, b"", id="JSON"),
        pytest.param(BYTES_IMAGE, b"", id="image in JSON"),
        pytest.param({**IMAGE, "parameters": {"binary_data_size": 64}}, picture(1).tobytes(), id="binary"),
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


@pytest.mark.parametrize("body", [PNG, picture(1).tobytes()], ids=["image file", "pixels"])
def test_a_body_may_be_the_tensor_alone(client: FlaskClient, body: bytes) -> None:
    response = client.post(INFER, data=body, headers={LENGTH: "0"})

    length = int(response.headers[LENGTH])
    assert json.loads(response.data[:length])["outputs"][0]["shape"] == [1, 3]
    assert np.frombuffer(response.data[length:], "<f4").argmax() == 1


@pytest.mark.parametrize(("classes", "listed"), [(1, 1), (2, 2), (3, 3), (1000, 3)])
def test_classification_lists_the_best_classes_by_name(client: FlaskClient, classes: int, listed: int) -> None:
    document = {"inputs": [JSON_IMAGE], "outputs": [_classified(classes)]}

    found = output(infer(client, document))

    value, index, label = found["data"][0].split(":")
    assert (found["datatype"], found["shape"], len(found["data"])) == ("BYTES", [1, listed], listed)
    assert (len(value), index, label) == (8, "1", "middle")
    values = [float(text.split(":")[0]) for text in found["data"]]
    assert values == sorted(values, reverse=True)


def test_classification_in_bytes_has_a_length_before_each_text(client: FlaskClient) -> None:
    document = {"inputs": [JSON_IMAGE], "outputs": [_classified(2, binary_data=True)]}

    response = infer(client, document)

    blob = response.data[int(response.headers[LENGTH]) :]
    size = struct.unpack_from("<I", blob)[0]
    assert blob[4 : 4 + size].endswith(b":1:middle")
    assert json.loads(response.data[: int(response.headers[LENGTH])])["outputs"][0]["parameters"] == {
        "binary_data_size": len(blob)
    }


def test_a_batch_is_answered_in_its_order(client: FlaskClient) -> None:
    batch = np.stack([picture(place) for place in (2, 0, 1)])
    tensor = {**IMAGE, "shape": [3, 8, 8, 1], "parameters": {"binary_data_size": batch.nbytes}}

    response = infer(client, {"inputs": [tensor], "outputs": [_classified(1)]}, batch.tobytes())

    assert labels(response) == ["right", "left", "middle"]


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_requests_may_be_compressed(client: FlaskClient, coding: str, pack: Any) -> None:
    header = json.dumps({"inputs": [{**IMAGE, "parameters": {"binary_data_size": 64}}]}).encode()
    body = pack(header + picture(1).tobytes())

    response = client.post(INFER, data=body, headers={LENGTH: str(len(header)), "Content-Encoding": coding})

    assert np.argmax(output(response)["data"]) == 1


@pytest.mark.parametrize(("coding", "bits"), [("gzip", 31), ("deflate", 15)])
def test_a_large_answer_is_compressed_as_the_client_likes(client: FlaskClient, coding: str, bits: int) -> None:
    images = {**BYTES_IMAGE, "shape": [8], "data": [TEXT] * 8}
    document = {"inputs": [images], "outputs": [_classified(3)], "id": "x" * 1000}
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


# Statistics


def test_statistics_count_what_every_dialect_asked(client: FlaskClient) -> None:
    client.post("/predict?version=2", data=PNG)
    infer(client, {"inputs": [{**BYTES_IMAGE, "shape": [3], "data": [TEXT] * 3}]})
    infer(client, {"inputs": [{**BYTES_IMAGE, "data": ["AAAA"]}]})

    (row,) = client.get("/v2/models/mnist/versions/2/stats").get_json()["model_stats"]

    assert (row["name"], row["version"]) == ("mnist", "2")
    assert (row["inference_count"], row["execution_count"]) == (4, 2)
    assert [each["batch_size"] for each in row["batch_stats"]] == [1, 3]
    assert (row["inference_stats"]["success"]["count"], row["inference_stats"]["fail"]["count"]) == (2, 1)
    assert row["inference_stats"]["compute_infer"]["ns"] > 0
    assert row["last_inference"] > 1_700_000_000_000


@pytest.mark.parametrize(
    ("path", "listed"),
    [
        ("/v2/models/stats", [("colour", "1"), ("mnist", "1"), ("mnist", "2")]),
        ("/v2/models/mnist/stats", [("mnist", "1"), ("mnist", "2")]),
        ("/v2/models/mnist/versions/1/stats", [("mnist", "1")]),
    ],
)
def test_statistics_are_of_all_of_one_model_or_of_one_version(client: FlaskClient, path: str, listed: Any) -> None:
    rows = client.get(path).get_json()["model_stats"]

    assert [(row["name"], row["version"]) for row in rows] == listed


# Errors


@pytest.mark.parametrize(
    ("path", "beginning"),
    [
        ("/v2/models/x", "Request for unknown model: 'x' is not found"),
        ("/v2/models/x/config", "Request for unknown model: 'x'"),
        ("/v2/models/x/ready", "Request for unknown model: 'x'"),
        ("/v2/models/x/stats", "Request for unknown model: 'x'"),
        ("/v2/models/mnist/versions/3", "Request for unknown model: 'mnist' is not found: 'mnist' has no version 3"),
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

    assert (response.status_code, response.get_json()["code"]) == (501, "unsupported")


def test_a_version_that_is_not_ready_says_so(client: FlaskClient) -> None:
    response = client.get("/v2/models/mnist/versions/7/ready")

    assert (response.status_code, response.get_json()["code"]) == (503, "not_ready")
    assert response.get_json()["error"].startswith("Model version not ready")


@pytest.mark.parametrize(
    ("tensor", "status", "sentence"),
    [
        pytest.param({**IMAGE, "data": [1]}, 400, "has 1 elements", id="too few"),
        pytest.param({**IMAGE, "shape": [], "data": [1]}, 400, "shape []", id="no axes"),
        pytest.param({**IMAGE, "shape": [1, 1, 8, 8], "data": [1] * 64}, 400, "send [N,8,8,1]", id="NCHW"),
        pytest.param({**IMAGE, "shape": [64], "data": [1] * 64}, 413, "64 images in one request", id="flat"),
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
def test_bad_tensors_are_refused_with_what_to_send(
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
def test_bad_outputs_are_refused(client: FlaskClient, outputs: list[Any], sentence: str) -> None:
    response = infer(client, {"inputs": [JSON_IMAGE], "outputs": outputs})

    assert response.status_code == 400
    assert sentence in response.get_json()["error"]


@pytest.mark.parametrize("length", ["-1", "1e3", "", "99999", "9" * 50, "٣"], ids=ascii)
def test_a_header_length_that_cannot_be_is_refused(client: FlaskClient, length: str) -> None:
    response = client.post(INFER, data=b"{}", environ_overrides={"HTTP_INFERENCE_HEADER_CONTENT_LENGTH": length})

    assert response.status_code == 400
    assert f"{LENGTH} must be a whole number" in response.get_json()["error"]


def test_a_header_length_that_cuts_the_json_is_refused(client: FlaskClient) -> None:
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
def test_a_bad_encoding_is_refused(client: FlaskClient, body: bytes, coding: str, status: int) -> None:
    response = client.post(INFER, data=body, headers={"Content-Encoding": coding})

    assert response.status_code == status
    assert response.get_json()["request_id"]


@pytest.mark.parametrize("body", [b"[]", b"3", b"{", b'{"ready": 1}'], ids=str)
def test_a_bad_body_for_the_index_is_refused(client: FlaskClient, body: bytes) -> None:
    assert client.post("/v2/repository/index", data=body).status_code == 400


def test_a_request_that_waited_longer_than_its_timeout_is_not_computed(client: FlaskClient) -> None:
    document = {"inputs": [JSON_IMAGE], "parameters": {"timeout": 1000}}
    waited = {"convserve.queue_seconds": 0.002}

    response = client.post(INFER, data=json.dumps(document), environ_overrides=waited)

    assert (response.status_code, response.get_json()["code"]) == (504, "deadline_exceeded")


def test_shared_memory_cannot_be_registered(client: FlaskClient) -> None:
    response = client.post("/v2/systemsharedmemory/region/r/register", data=b"{}")

    assert response.status_code == 400
    assert "no shared memory" in response.get_json()["error"]


# A server that is not ready


@pytest.mark.parametrize(
    ("registry", "draining", "sentence"),
    [
        pytest.param([], False, "not every model is ready", id="empty"),
        pytest.param([LoadedVersion("m", 1, None, "broken", "graph")], False, "not every model", id="refused"),
        pytest.param([], True, "Server exiting", id="draining"),
    ],
)
def test_a_server_that_is_not_ready_says_why(
    metrics: Metrics, registry: list[LoadedVersion], draining: bool, sentence: str
) -> None:
    dialect = _dialect(metrics, registry)

    with pytest.raises(NotReady, match=sentence):
        dialect.server_ready(draining)


def test_a_refused_version_is_in_the_index_but_not_among_the_ready(metrics: Metrics) -> None:
    dialect = _dialect(metrics, [LoadedVersion("m", 1, None, "broken", "graph")])

    assert dialect.index(b"") == [{"name": "m", "version": "1", "state": "UNAVAILABLE", "reason": "broken"}]
    assert dialect.index(b'{"ready": true}') == []


def _dialect(metrics: Metrics, versions: list[LoadedVersion]) -> OpenInference:
    registry = ModelRegistry(versions, "mnist")
    return OpenInference(registry, Inference(metrics), metrics.statistics, Limits(1, 1), 1)


def _classified(classes: int, **parameters: Any) -> dict[str, Any]:
    return {"name": "probabilities", "parameters": {"classification": classes, **parameters}}
