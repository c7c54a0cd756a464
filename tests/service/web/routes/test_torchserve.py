"""/predictions and /ping: what clients of TorchServe send, and get."""

import io
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.environ import QUEUE_SECONDS
from tests.support.bundles.tiny import LABELS
from tests.support.bundles.tiny_batches import batch_files, expected_probabilities

PNG, OTHER = batch_files(2)
BEST = dict(zip(LABELS, expected_probabilities(1)[0].tolist(), strict=True))


def files(*contents: bytes) -> dict[str, Any]:
    return {"data": [(io.BytesIO(content), f"{number}.png") for number, content in enumerate(contents)]}


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("path", ["/predictions/mnist", "/predictions/mnist/2", "/predictions/mnist/1.0"])
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"data": PNG}, id="the image as the body"),
        pytest.param({"data": PNG, "content_type": "application/x-www-form-urlencoded"}, id="by curl"),
        pytest.param({"data": PNG, "content_type": "image/png"}, id="with its type"),
    ],
)
def test_the_response_is_the_best_labels_with_their_probabilities(
    client: FlaskClient, method: str, path: str, options: dict[str, Any]
) -> None:
    response = client.open(path, method=method, **options)

    assert (response.status_code, response.content_type) == (200, "application/json")
    assert response.get_json() == pytest.approx(BEST, abs=1e-6)
    assert "infer;dur=" in response.headers["Server-Timing"]


def test_a_form_has_the_image_as_data(client: FlaskClient) -> None:
    one = client.post("/predictions/mnist", data=files(PNG)).get_json()
    two = client.post("/predictions/mnist", data=files(PNG, OTHER)).get_json()

    assert one == pytest.approx(BEST, abs=1e-6)
    assert [next(iter(each)) for each in two] == ["left", "middle"]


@pytest.mark.parametrize(
    ("line", "data", "failure", "sentence"),
    [
        ("PUT /predictions/none", PNG, "404 ModelNotFoundException", "Model not found: none: there is no model"),
        ("POST /predictions/mnist/9", PNG, "404 ModelNotFoundException", "Model not found: mnist: 'mnist' has no"),
        ("POST /predictions/mnist/x", PNG, "400 BadRequestException", "a version is a whole number"),
        ("POST /predictions/mnist/0", PNG, "400 BadRequestException", "a version is a whole number"),
        ("POST /predictions/mnist", b"?", "400 BadRequestException", ""),
        ("POST /predictions/mnist", b"", "400 BadRequestException", "the body is empty"),
        ("POST /predictions/mnist", bytes(2 << 20), "413 BadRequestException", "the body is larger"),
        ("GET /predictions/mnist", b"", "405 MethodNotAllowedException", "/predictions/mnist takes"),
        ("POST /predictions", PNG, "404 ResourceNotFoundException", "there is no /predictions"),
        ("POST /ping", b"", "405 MethodNotAllowedException", "/ping takes"),
    ],
)
def test_an_error_has_torchserves_form(
    client: FlaskClient, line: str, data: bytes, failure: str, sentence: str
) -> None:
    method, path = line.split()
    response = client.open(path, method=method, data=data)

    document = response.get_json()
    assert f"{response.status_code} {document['type']}" == failure
    assert document["code"] == response.status_code
    assert document.keys() == {"code", "type", "message"}
    assert document["message"].startswith(sentence)
    assert response.headers["X-Error-Code"]


def test_a_ping_is_answered_with_the_health(client: FlaskClient) -> None:
    response = client.get("/ping")

    assert (response.status_code, response.get_json()) == (200, {"status": "Healthy"})
    assert client.options("/ping").get_json() == {"status": "Healthy"}


def test_a_service_that_is_not_ready_is_unhealthy(damaged: FlaskClient) -> None:
    response = damaged.get("/ping")

    assert (response.status_code, response.get_json()) == (503, {"status": "Unhealthy"})


@pytest.mark.parametrize("path", ["/ping", "/monitoring/prometheus/metrics"])
def test_probes_are_answered_however_long_they_waited(app: Flask, path: str) -> None:
    assert app.test_client().get(path, environ_overrides={QUEUE_SECONDS: 31.0}).status_code == 200


def test_the_metrics_are_where_tensorflow_serving_has_them(client: FlaskClient) -> None:
    client.put("/predictions/mnist", data=PNG)

    text = client.get("/monitoring/prometheus/metrics").text
    assert 'http_requests_total{method="PUT",route="/predictions/<name>",status="200"} 1.0' in text
    assert 'convserve_predictions_total{label="left",model="mnist",version="2"} 1.0' in text
