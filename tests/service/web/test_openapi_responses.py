"""Bodies and answers against the OpenAPI document: what it describes is what the service takes and sends."""

import base64
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from preprocessing.png import encode_png
from service.app import create_app
from service.inference.model_version import VersionState
from service.ipc.workspace import WorkerContext
from service.settings import Settings
from service.telemetry.metrics import Metrics
from tests.support.bundles.tiny import PREPROCESSING, publish_tiny
from tests.support.fuzz.corpus import BROKEN_VERSION, HEADER_LENGTH, MANY, Request, corpus
from tests.support.http.openapi import (
    METHODS,
    UNDESCRIBED,
    Document,
    check_response,
    conforms,
    fetch_document,
    resolve,
    to_openapi_path,
)
from tests.support.images.drawn import tiny_image

PNG = encode_png(tiny_image(1))
TEXT = base64.b64encode(PNG).decode()
PIXELS = tiny_image(1)[None].tolist()
DARK = [0] * 64
PREDICT, CLASSIFY, INFER = "/v1/models/{name}:predict", "/v1/models/{name}:classify", "/v2/models/{name}/infer"
FILE = {"b64": TEXT}
TENSOR = {"name": "image", "datatype": "UINT8", "shape": [1, 8, 8, 1]}
IMAGES = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [TEXT]}


@pytest.fixture
def document(client: FlaskClient) -> Document:
    return fetch_document(client)


@pytest.fixture
def corpus_app(settings: Settings, metrics: Metrics, context: WorkerContext, tmp_path: Path) -> Flask:
    """A service with every model that the corpus names, and a version that was refused."""
    models = tmp_path / "models"
    for version in (1, 2, BROKEN_VERSION):
        refused = publish_tiny(models, "mnist", version)
    (refused / "model.onnx").write_bytes(b"?")
    publish_tiny(models, "colour", mode="rgb")
    publish_tiny(models, "written", preprocessing=dataclasses.replace(PREPROCESSING, ink=True))
    settings = dataclasses.replace(settings, models=models, versions=BROKEN_VERSION, max_images=MANY)
    return create_app(settings, metrics, context, lambda _: None)


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        pytest.param({"image": "iVBO"}, True, id="one image"),
        pytest.param({"images": ["iVBO", "iVBO"]}, True, id="two images"),
        pytest.param({"images": []}, False, id="no picture"),
        pytest.param({"images": ["iVBO"] * 9}, False, id="too many images"),
        pytest.param({"instances": PIXELS}, True, id="pixels"),
        pytest.param({"instances": tiny_image(1)[None, ..., 0].tolist()}, True, id="pixels without a channel axis"),
        pytest.param({"instances": tiny_image(1, 3)[None].tolist()}, True, id="colours"),
        pytest.param({"instances": tiny_image(1, 3)[None, :7].tolist()}, False, id="a row too few"),
        pytest.param({"instances": [[[[256]] * 8] * 8]}, False, id="brighter than white"),
        pytest.param({"image": "iVBO", "instances": PIXELS}, False, id="two members"),
    ],
)
def test_json_bodies_fit_the_schema_where_they_are_right(document: Document, body: Document, fits: bool) -> None:
    assert conforms(document, {"$ref": "#/components/schemas/ImagesInJson"}, body) is fits


@pytest.mark.parametrize(
    ("path", "body", "fits"),
    [
        pytest.param(PREDICT, {"instances": [FILE, FILE], "signature_name": ""}, True, id="files"),
        pytest.param(PREDICT, {"instances": tiny_image(1)[None, ..., 0].tolist()}, True, id="no channel axis"),
        pytest.param(PREDICT, {"instances": [{"image_bytes": FILE}]}, True, id="a named file"),
        pytest.param(PREDICT, {"instances": [{"image": PIXELS[0]}]}, True, id="named pixels"),
        pytest.param(PREDICT, {"instances": [{"image_bytes": FILE, "key": "1"}]}, True, id="KServe's for TensorFlow"),
        pytest.param(PREDICT, {"instances": [{"data": TEXT}]}, True, id="KServe's for TorchServe"),
        pytest.param(PREDICT, {"inputs": FILE}, True, id="one file as a column"),
        pytest.param(PREDICT, {"inputs": {"image": PIXELS}}, True, id="a named column"),
        pytest.param(PREDICT, {}, False, id="no member"),
        pytest.param(PREDICT, {"instances": [FILE], "inputs": [FILE]}, False, id="two members"),
        pytest.param(PREDICT, {"instances": []}, False, id="no instances"),
        pytest.param(PREDICT, {"instances": [FILE] * 9}, False, id="too many instances"),
        pytest.param(PREDICT, {"instances": FILE}, False, id="an instance without a list"),
        pytest.param(PREDICT, {"instances": [TEXT]}, False, id="base64 alone"),
        pytest.param(PREDICT, {"instances": [{**FILE, "x": 1}]}, False, id="more than base64"),
        pytest.param(PREDICT, {"instances": [{"picture": FILE}]}, False, id="another name"),
        pytest.param(PREDICT, {"instances": [[[[256]] * 8] * 8]}, False, id="too bright"),
        pytest.param(PREDICT, {"instances": [FILE], "signature_name": "x"}, False, id="another signature"),
        pytest.param(CLASSIFY, {"examples": [{"image": [FILE]}]}, True, id="a file in a list"),
        pytest.param(CLASSIFY, {"examples": [{"image": DARK}]}, True, id="flat pixels"),
        pytest.param(CLASSIFY, {"examples": [{}], "context": {"image": PIXELS[0]}}, True, id="a shared picture"),
        pytest.param(CLASSIFY, {"instances": [FILE]}, False, id="no examples"),
        pytest.param(CLASSIFY, {"examples": [FILE]}, False, id="a file without a name"),
        pytest.param(CLASSIFY, {"examples": [{"image": [FILE, FILE]}]}, False, id="two files in a list"),
        pytest.param(CLASSIFY, {"examples": [{"image": FILE, "x": 1}]}, False, id="two features"),
        pytest.param(INFER, {"inputs": [{**TENSOR, "data": DARK}], "outputs": []}, True, id="flat tensor"),
        pytest.param(INFER, {"inputs": [{**TENSOR, "data": PIXELS}]}, True, id="nested tensor"),
        pytest.param(INFER, {"inputs": [IMAGES], "parameters": {"timeout": 0, "mine": "x"}}, True, id="parameters"),
        pytest.param(INFER, {"inputs": []}, False, id="no input"),
        pytest.param(INFER, {"inputs": [IMAGES, IMAGES]}, False, id="two inputs"),
        pytest.param(INFER, {"inputs": [{**IMAGES, "name": "x"}]}, False, id="unknown input"),
        pytest.param(INFER, {"inputs": [TENSOR]}, False, id="no data"),
        pytest.param(INFER, {"inputs": [{**TENSOR, "data": [256] * 64}]}, False, id="data too bright"),
        pytest.param(INFER, {"inputs": [{**TENSOR, "datatype": "FP16", "data": DARK}]}, False, id="FP16 in JSON"),
        pytest.param(INFER, {"inputs": [{**TENSOR, "datatype": "STRING", "data": DARK}]}, False, id="no datatype"),
        pytest.param(INFER, {"inputs": [{**IMAGES, "shape": [0], "data": []}]}, False, id="no image"),
        pytest.param(
            INFER, {"inputs": [{**IMAGES, "parameters": {"binary_data_size": 0}}]}, False, id="data here and behind"
        ),
        pytest.param(INFER, {"inputs": [IMAGES], "parameters": {"triton_x": 1}}, False, id="reserved parameter"),
        pytest.param(INFER, {"inputs": [IMAGES], "parameters": {"mine": None}}, True, id="unknown parameter null"),
        pytest.param(INFER, {"inputs": [IMAGES], "outputs": [{"name": "x"}]}, False, id="unknown output"),
        pytest.param(
            INFER,
            {"inputs": [IMAGES], "outputs": [{"name": "probabilities", "parameters": {"classification": 0}}]},
            False,
            id="no class",
        ),
    ],
)
def test_service_and_description_agree_on_which_bodies_are_right(
    client: FlaskClient, document: Document, path: str, body: Document, fits: bool
) -> None:
    content = resolve(document, document["paths"][path]["post"]["requestBody"])["content"]
    response = client.post(path.replace("{name}", "mnist"), json=body)

    assert (response.status_code == 200) is fits, response.text
    assert conforms(document, content["application/json"]["schema"], body) is fits


@pytest.mark.parametrize(
    ("operation", "path", "options", "status"),
    [
        pytest.param("POST /predict", "/predict", {"data": PNG}, 200, id="prediction"),
        pytest.param("POST /predict", "/predict?top_k=1", {"json": {"instances": PIXELS}}, 200, id="pixels"),
        pytest.param(
            "POST /predict", "/predict", {"data": encode_png(tiny_image(1, 3))}, 200, id="prediction with preprocessing"
        ),
        pytest.param("POST /models/{name}/predict", "/models/mnist/predict", {"data": PNG}, 200, id="named"),
        pytest.param("POST /predict", "/predict", {"data": b"not an image"}, 400, id="no image"),
        pytest.param("POST /predict", "/predict?model=none", {"data": PNG}, 404, id="no such model"),
        pytest.param("POST /predict", "/predict", {"data": bytes(2 << 20)}, 413, id="too large"),
        pytest.param(
            "POST /predict", "/predict", {"data": b"x", "content_type": "text/csv"}, 415, id="unsupported type"
        ),
        pytest.param("GET /summary", "/summary", {}, 200, id="summary"),
        pytest.param("GET /summary", "/summary?format=text", {}, 200, id="summary as text"),
        pytest.param("GET /summary", "/summary?format=xml", {}, 400, id="summary as something else"),
        pytest.param("GET /models/{name}/summary", "/models/mnist/summary", {}, 200, id="summary of a model"),
        pytest.param("GET /models", "/models", {}, 200, id="models"),
        pytest.param("GET /models/{name}", "/models/mnist", {}, 200, id="model"),
        pytest.param("GET /models/{name}", "/models/none", {}, 404, id="no such model to see"),
        pytest.param("GET /models/{name}/versions/{version}", "/models/mnist/versions/2", {}, 200, id="card"),
        pytest.param("GET /models/{name}/versions/{version}", "/models/mnist/versions/x", {}, 400, id="no number"),
        pytest.param(f"POST {PREDICT}", "/v1/models/mnist:predict", {"data": b"{}"}, 400, id="v1 without instances"),
        pytest.param(
            f"POST {PREDICT}",
            "/v1/models/mnist:predict",
            {"data": b"{}", "headers": {"Content-Encoding": "br"}},
            415,
            id="v1 unknown encoding",
        ),
        pytest.param(f"POST {CLASSIFY}", "/v1/models/none:classify", {"json": {}}, 404, id="v1 no such model"),
        pytest.param(f"POST {PREDICT}", "/v1/models/mnist:predict", {"data": bytes(2 << 20)}, 413, id="v1 too large"),
        pytest.param("GET /v1/models/{name}", "/v1/models/none", {}, 404, id="v1 no such model to see"),
        pytest.param(
            "GET /v1/models/{name}/versions/{version}", "/v1/models/mnist/versions/x", {}, 400, id="v1 no number"
        ),
        pytest.param(f"POST {INFER}", "/v2/models/mnist/infer", {"json": {}}, 400, id="v2 without inputs"),
        pytest.param(f"POST {INFER}", "/v2/models/none/infer", {"json": {}}, 404, id="v2 no such model"),
        pytest.param(f"POST {INFER}", "/v2/models/mnist/infer", {"data": bytes(2 << 20)}, 413, id="v2 too large"),
        pytest.param(
            f"POST {INFER}",
            "/v2/models/mnist/infer",
            {"data": b"{}", "headers": {"Content-Encoding": "br"}},
            501,
            id="v2 unknown encoding",
        ),
        pytest.param(
            "GET /v2/models/{name}/versions/{version}/ready",
            "/v2/models/mnist/versions/9/ready",
            {},
            503,
            id="v2 not ready",
        ),
        pytest.param(
            "GET /v2/models/{name}/versions/{version}", "/v2/models/mnist/versions/x", {}, 400, id="v2 no number"
        ),
        pytest.param("GET /v2/models/{name}/stats", "/v2/models/none/stats", {}, 404, id="v2 statistics of none"),
        pytest.param("GET /livez", "/livez", {}, 200, id="liveness"),
        pytest.param("GET /readyz", "/readyz", {}, 200, id="readiness"),
        pytest.param("GET /healthz", "/healthz", {}, 200, id="health"),
        pytest.param("GET /metrics", "/metrics", {}, 200, id="metrics"),
        pytest.param("GET /openapi.json", "/openapi.json", {}, 200, id="the document itself"),
        pytest.param("GET /docs", "/docs", {}, 200, id="docs"),
        pytest.param("GET /", "/", {}, 200, id="a word of life"),
        pytest.param("GET /", "/", {"headers": {"Accept": "text/html"}}, 200, id="the page"),
    ],
)
def test_answers_are_as_described(
    client: FlaskClient, operation: str, path: str, options: Document, status: int
) -> None:
    document = fetch_document(client)
    method, route = operation.split()
    response = client.open(path, method=method, **options)

    assert response.status_code == status, response.text
    check_response(document, document["paths"][route][method.lower()], response)


def described_requests(app: Flask) -> Iterator[tuple[str, Request]]:
    """The requests of the corpus that are in the description, each with its path there."""
    urls = app.url_map.bind("test")
    for request in corpus():
        if request.method in METHODS and request.status != 304:
            path = to_openapi_path(urls.match(request.path, request.method, return_rule=True)[0].rule)
            if path not in UNDESCRIBED:
                yield path, request


def test_all_valid_requests_and_their_answers_are_as_described(corpus_app: Flask) -> None:
    client = corpus_app.test_client()
    document = fetch_document(client)
    for path, request in described_requests(corpus_app):
        operation = document["paths"][path][request.method.lower()]
        response = send(client, request)

        assert response.status_code == request.status, request
        check_response(document, operation, response)
        if request.json and "requestBody" in operation and request.json[:1] != b"[":  # a bare list breaks generators
            content = resolve(document, operation["requestBody"])["content"]
            assert conforms(document, content["application/json"]["schema"], json.loads(request.json)), request


def test_all_routes_are_among_the_valid_requests(corpus_app: Flask, document: Document) -> None:
    assert {path for path, _ in described_requests(corpus_app)} == set(document["paths"])


def send(client: FlaskClient, request: Request) -> TestResponse:
    """Send a request of the corpus without chunks, which the test client does not know."""
    announced = [(HEADER_LENGTH, str(len(request.json)))] if request.announced else []
    return client.open(
        request.path,
        method=request.method,
        query_string=request.query,
        headers=[*request.headers, *announced],
        data=request.body,
    )


def test_a_wrong_method_is_answered_as_described(client: FlaskClient, document: Document) -> None:
    for path, item in document["paths"].items():
        response = client.patch(re.sub("{.*?}", "1", path))
        responses = [operation["responses"] for name, operation in item.items() if name.upper() in METHODS]

        has_405 = not path.startswith("/v1/")

        assert response.status_code == (405 if has_405 else 400)
        assert all(("405" in each) is has_405 and str(response.status_code) in each for each in responses)
        for operation in (operation for name, operation in item.items() if name.upper() in METHODS):
            check_response(document, operation, response)


def test_a_rejected_version_is_as_described(document: Document) -> None:
    row = {"version": 3, "state": VersionState.UNAVAILABLE, "reason": "its golden images come out wrong"}

    assert conforms(document, {"$ref": "#/components/schemas/ModelVersion"}, row)
    assert not conforms(document, {"$ref": "#/components/schemas/ModelVersion"}, {**row, "state": "READY"})


def test_the_status_of_a_rejected_version_is_as_described(corpus_app: Flask, document: Document) -> None:
    status = corpus_app.test_client().get(f"/v1/models/mnist/versions/{BROKEN_VERSION}").get_json()

    assert conforms(document, {"$ref": "#/components/schemas/VersionStatus"}, status)


def test_statistics_are_as_described_where_there_are_some(client: FlaskClient, document: Document) -> None:
    client.post("/predict", data=PNG)
    (row,) = client.get("/v2/models/mnist/versions/2/stats").get_json()["model_stats"]

    assert row["batch_stats"]
    assert conforms(document, {"$ref": "#/components/schemas/ModelStatistics"}, row)
