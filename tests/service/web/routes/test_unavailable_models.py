"""A model in the repository of which no version can be served: 503, so that a balancer asks another replica."""

import dataclasses
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.ipc.workspace import WorkerContext
from service.settings import Settings
from service.telemetry.metrics import Metrics
from tests.support.bundles.tiny import publish_tiny

ROUTES = [
    "POST /predict?model=other",
    "POST /models/other/predict",
    "POST /models/other/versions/1/predict",
    "GET /summary?model=other",
    "GET /models/other/summary",
    "GET /models/other/versions/1",
    "POST /v1/models/other:predict",
    "POST /v1/models/other/versions/1:predict",
    "POST /v1/models/other:classify",
    "GET /v1/models/other/metadata",
    "POST /v2/models/other/infer",
    "POST /v2/models/other/versions/1/infer",
    "GET /v2/models/other",
    "GET /v2/models/other/config",
    "GET /v2/models/other/stats",
]


@pytest.mark.parametrize("route", ROUTES)
def test_every_protocol_says_that_it_is_not_ready(damaged: FlaskClient, route: str) -> None:
    method, path = route.split()

    response = damaged.open(path, method=method, data=b"?", content_type="image/png")

    assert (response.status_code, response.headers["X-Error-Code"]) == (503, "not_ready")
    assert response.headers["Retry-After"] == "1"
    assert "GET /models/other lists them" in response.get_json()["error"]


@pytest.mark.parametrize("route", ROUTES)
def test_a_model_that_is_not_there_is_not_found(damaged: FlaskClient, route: str) -> None:
    method, path = route.replace("other", "nothing").split()

    assert damaged.open(path, method=method, data=b"?", content_type="image/png").status_code == 404


@pytest.mark.parametrize("path", ["/predict", "/summary"])
def test_no_other_model_answers_for_the_default_one(
    settings: Settings, metrics: Metrics, context: WorkerContext, tmp_path: Path, path: str
) -> None:
    for name in ("mnist", "other"):
        publish_tiny(tmp_path, name, 1)
    (tmp_path / "mnist" / "1" / "model.onnx").write_bytes(b"?")
    settings = dataclasses.replace(settings, models=tmp_path, default_model="mnist")
    client = create_app(settings, metrics, context, lambda _: None).test_client()

    response = client.open(path, method="POST" if path == "/predict" else "GET", data=b"?", content_type="image/png")

    assert (response.status_code, response.headers["X-Error-Code"]) == (503, "not_ready")
