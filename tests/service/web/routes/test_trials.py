"""A canary in every protocol: it answers requests that name no version, and is never what a document is about."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from preprocessing.png import encode_png
from service.app import Service, create_service
from service.ipc.workspace import WorkerContext
from service.settings import Settings
from service.telemetry.metrics import Metrics
from tests.support.bundles.special_networks import failing_graph, failing_image
from tests.support.bundles.tiny import publish_tiny, tiny_graph
from tests.support.http.openapi import conforms, fetch_document
from tests.support.images.drawn import tiny_image

PNG = encode_png(tiny_image(1))
PIXELS = tiny_image(1)[None].tolist()
TENSOR = {"name": "image", "datatype": "UINT8", "shape": [1, 8, 8, 1], "data": tiny_image(1).reshape(-1).tolist()}
FAST_PATH = {"data": PNG, "content_type": "image/png"}
INSTANCES = {"json": {"instances": PIXELS}}
EXAMPLES = {"json": {"examples": [{"image": PIXELS[0]}]}}
INPUTS = {"json": {"inputs": [TENSOR]}}
TOUCHY = {"data": encode_png(failing_image()), "content_type": "image/png"}
RAW = {"data": PNG, "headers": {"Inference-Header-Content-Length": "0"}}

Trial = Callable[[dict[str, Any]], Service]


@pytest.fixture
def trial(settings: Settings, metrics: Metrics, context: WorkerContext, tmp_path: Path) -> Trial:
    """What serves three versions by a policy for `mnist`; the second one finds other labels, the third one fails."""

    def trial(policy: dict[str, Any]) -> Service:
        models = tmp_path / "trial"
        for version, network in enumerate((tiny_graph(), tiny_graph(order=(1, 2, 0)), failing_graph()), start=1):
            publish_tiny(models, "mnist", version, network=network)
        (models / "serving.json").write_text(json.dumps({"versions": 3, "models": {"mnist": policy}}))
        return create_service(dataclasses.replace(settings, models=models), metrics, context, lambda _: None)

    return trial


CANARY = {"default": 1, "canary": {"version": 2, "share": 1}}


def answered(metrics: Metrics) -> dict[str, float]:
    """How many requests each version has answered."""
    found = {
        version: metrics.scrape.get_sample_value("convserve_batch_size_count", {"model": "mnist", "version": version})
        for version in "123"
    }
    return {version: count for version, count in found.items() if count}


@pytest.mark.parametrize(
    ("path", "options"),
    [
        pytest.param("/predict", FAST_PATH, id="fast path"),
        pytest.param("/models/mnist/predict", FAST_PATH, id="fast path by name"),
        pytest.param("/predict?top_k=2", FAST_PATH, id="native"),
        pytest.param("/models/mnist/predict", INSTANCES, id="native JSON"),
        pytest.param("/v2/models/mnist/infer", INPUTS, id="v2"),
        pytest.param("/v2/models/mnist/infer", RAW, id="v2 raw"),
        pytest.param("/v1/models/mnist:predict", INSTANCES, id="v1 predict"),
        pytest.param("/v1/models/mnist:classify", EXAMPLES, id="v1 classify"),
    ],
)
def test_the_canary_answers_in_every_protocol(
    trial: Trial, metrics: Metrics, path: str, options: dict[str, Any]
) -> None:
    response = trial(CANARY).app.test_client().post(path, **options)

    assert response.status_code == 200
    assert answered(metrics) == {"2": 1}
    assert not path.startswith(("/p", "/m")) or response.get_json()["model_version"] == 2


@pytest.mark.parametrize(
    ("path", "options"),
    [
        pytest.param("/models/mnist/versions/3/predict", FAST_PATH, id="fast path"),
        pytest.param("/predict?version=3", FAST_PATH, id="native query"),
        pytest.param("/models/mnist/versions/3/predict", INSTANCES, id="native JSON"),
        pytest.param("/v2/models/mnist/versions/3/infer", INPUTS, id="v2"),
        pytest.param("/v1/models/mnist/versions/3:predict", INSTANCES, id="v1 predict"),
        pytest.param("/v1/models/mnist/versions/3:classify", EXAMPLES, id="v1 classify"),
    ],
)
def test_a_request_that_names_a_version_gets_it_and_no_shadow(
    trial: Trial, metrics: Metrics, path: str, options: dict[str, Any]
) -> None:
    service = trial({**CANARY, "shadow": {"version": 1, "share": 1}})
    response = service.app.test_client().post(path, **options)

    assert response.status_code == 200
    assert answered(metrics) == {"3": 1}
    assert service.shadows.idle_timeout == float("inf")


def test_documents_are_about_the_default(trial: Trial) -> None:
    client = trial(CANARY).app.test_client()

    assert client.get("/summary").get_json()["model_version"] == 1
    assert client.get("/v1/models/mnist/metadata").get_json()["model_spec"]["version"] == "1"


def test_a_model_says_who_answers(trial: Trial) -> None:
    client = trial({"default": 1, "canary": {"version": 2, "share": 0.1}, "shadow": {"share": 1}}).app.test_client()
    document = client.get("/models/mnist").get_json()
    (listed,) = client.get("/models").get_json()["models"]

    assert document == listed
    assert document["default"] == 1
    assert document["canary"] == {"version": 2, "share": 0.1}
    assert document["shadow"] == {"version": 3, "share": 1.0}
    assert conforms(fetch_document(client), {"$ref": "#/components/schemas/Model"}, document)


def test_a_model_says_only_what_is_in_effect(trial: Trial) -> None:
    document = trial({"canary": {"version": 9, "share": 0.1}}).app.test_client().get("/models/mnist").get_json()

    assert document["default"] == 3
    assert document.keys().isdisjoint({"canary", "shadow"})


def test_a_model_that_is_not_ready_has_no_default_version(damaged: FlaskClient) -> None:
    assert damaged.get("/models/other").get_json().keys() == {"name", "versions"}


# What fails


def test_a_request_that_fails_before_flask_is_counted_once(trial: Trial, metrics: Metrics) -> None:
    client = trial({"default": 1, "canary": {"version": 3, "share": 0.5}}).app.test_client()
    statuses = [client.post("/predict", **TOUCHY).status_code for _ in range(200)]

    labels = {"model": "mnist", "version": "3", "reason": "internal_error"}
    failures = metrics.scrape.get_sample_value("convserve_prediction_failures_total", labels)
    assert set(statuses) == {200, 500}
    assert 60 < statuses.count(500) < 140
    assert failures == statuses.count(500) == metrics.statistics.read("mnist", 3).failed.count
    assert answered(metrics) == {"1": statuses.count(200)}


def test_what_fails_is_not_copied_and_what_a_shadow_fails_at_is_answered_and_counted(
    trial: Trial, metrics: Metrics
) -> None:
    service = trial({"default": 1, "shadow": {"version": 3, "share": 1}})
    client, shadows = service.app.test_client(), service.shadows
    client.post("/predict", data=b"no image", content_type="image/png")
    after_failure = shadows.idle_timeout
    status = client.post("/predict", **TOUCHY).status_code
    shadows.run_idle()

    labels = {"model": "mnist", "version": "3", "reason": "internal_error"}
    assert after_failure == shadows.idle_timeout == float("inf")
    assert status == 200
    assert metrics.scrape.get_sample_value("convserve_shadow_failures_total", labels) == 1
