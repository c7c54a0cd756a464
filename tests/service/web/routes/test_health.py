"""Alive and ready: what orchestrators ask."""

import dataclasses
import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.ipc.workspace import WorkerContext
from service.settings import Settings
from service.telemetry.metrics import Metrics


@pytest.fixture
def empty(settings: Settings, metrics: Metrics, context: WorkerContext, tmp_path: Path) -> FlaskClient:
    """A service without a model."""
    (tmp_path / "models").mkdir()
    return create_app(
        dataclasses.replace(settings, models=tmp_path / "models"), metrics, context, lambda _: None
    ).test_client()


@pytest.mark.parametrize("path", ["/readyz", "/healthz"])
def test_a_service_with_all_its_models_is_ready(client: FlaskClient, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert response.get_json() == {"ready": True, "problems": [], "refused": {}}


def test_a_service_that_answers_is_alive(client: FlaskClient) -> None:
    assert client.get("/livez").get_json() == {"live": True}


def test_a_service_without_a_model_is_alive_but_not_ready(empty: FlaskClient) -> None:
    ready = empty.get("/readyz")

    assert empty.get("/livez").status_code == 200
    assert ready.status_code == 503
    assert ready.get_json()["problems"] == ["the model repository is empty"]


def test_a_service_without_a_model_says_so_to_who_wants_a_prediction(empty: FlaskClient) -> None:
    response = empty.post("/predict", data=b"x")

    assert (response.status_code, response.headers["X-Error-Code"]) == (404, "model_not_found")
    assert empty.get("/models").get_json() == {"models": []}


def test_a_service_that_cannot_see_its_repository_says_not_that_there_is_no_model(
    settings: Settings, metrics: Metrics, context: WorkerContext, tmp_path: Path
) -> None:
    nowhere = dataclasses.replace(settings, models=tmp_path / "nowhere")
    client = create_app(nowhere, metrics, context, lambda _: None).test_client()

    response = client.post("/predict", data=b"x")

    assert (response.status_code, response.headers["X-Error-Code"]) == (503, "not_ready")


def test_readiness_turns_off_before_the_end(client: FlaskClient, context: WorkerContext) -> None:
    context.scoreboard.announce_shutdown(time.monotonic() + 5, shared=False)

    native, triton = client.get("/readyz"), client.get("/v2/health/ready")

    assert (native.status_code, triton.status_code) == (503, 503)
    assert native.get_json()["problems"] == ["shutting down"]
    assert triton.get_json()["error"] == "Server exiting"
