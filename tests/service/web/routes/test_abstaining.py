"""A model with a threshold says of which images it is not sure; one without answers as if there were no such thing."""

import dataclasses
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from preprocessing.png import encode_png
from service.app import create_app
from service.ipc.workspace import WorkerContext
from service.settings import Settings
from service.telemetry.metrics import Metrics
from tests.support.bundles.tiny import publish_tiny, tiny_metadata
from tests.support.http.openapi import check_response, conforms, fetch_document
from tests.support.images.drawn import as_npy, tiny_image

SURE, UNSURE = tiny_image(1), tiny_image(1) // 2  # 0.965 and 0.785 for the middle
THRESHOLD = 0.9
COUNTED = 'convserve_abstained_total{model="careful",version="1"}'


@pytest.fixture
def careful(settings: Settings, metrics: Metrics, context: WorkerContext, tmp_path: Path) -> FlaskClient:
    """A service of `careful`, which abstains, and of `bold`, the same network that never does."""
    models = tmp_path / "models"
    publish_tiny(models, "careful", output=dataclasses.replace(tiny_metadata("tiny").output, abstain_below=THRESHOLD))
    publish_tiny(models, "bold")
    return create_app(dataclasses.replace(settings, models=models), metrics, context, lambda _: None).test_client()


def predictions(client: FlaskClient, model: str, *images: Any, query: str = "") -> list[dict[str, Any]]:
    """What the native protocol says of some pixels."""
    body = as_npy(np.stack(images))
    answer = client.post(f"/models/{model}/predict{query}", data=body, content_type="application/x-npy").get_json()
    found: list[dict[str, Any]] = answer["predictions"]
    return found


def test_each_image_has_whether_the_model_abstains(careful: FlaskClient) -> None:
    found = predictions(careful, "careful", UNSURE, SURE, UNSURE)

    assert [each["abstained"] for each in found] == [True, False, True]


def test_an_abstained_image_keeps_its_label_and_probabilities(careful: FlaskClient) -> None:
    (abstained,) = predictions(careful, "careful", UNSURE)
    (answered,) = predictions(careful, "bold", UNSURE)

    assert abstained.pop("abstained") is True
    assert abstained == answered


@pytest.mark.parametrize("image", [SURE, UNSURE], ids=["sure", "unsure"])
def test_a_model_without_a_threshold_says_nothing_of_it(careful: FlaskClient, image: Any) -> None:
    (prediction,) = predictions(careful, "bold", image)

    assert prediction.keys() == {"label", "index", "probability", "top_k"}


def test_few_classes_in_the_answer_change_nothing(careful: FlaskClient) -> None:
    (prediction,) = predictions(careful, "careful", UNSURE, query="?top_k=1")

    assert prediction["abstained"] is True


def test_the_fast_path_responds_as_flask_does(careful: FlaskClient) -> None:
    short = careful.post("/models/careful/predict", data=encode_png(UNSURE), content_type="image/png")
    long = careful.post("/models/careful/predict?flask=1", data=encode_png(UNSURE), content_type="image/png")

    assert short.data == long.data
    assert b'"abstained":true' in short.data


def test_abstained_images_are_counted_in_every_protocol(careful: FlaskClient) -> None:
    file = {"b64": b64encode(encode_png(UNSURE)).decode()}
    tensor = {"name": "image", "datatype": "UINT8", "shape": [2, 8, 8, 1], "data": np.stack([UNSURE, SURE]).tolist()}
    predictions(careful, "careful", SURE, UNSURE, UNSURE)
    careful.post("/v1/models/careful:predict", json={"instances": [file]})
    careful.post("/v2/models/careful/infer", json={"inputs": [tensor]})

    assert f"{COUNTED} 4.0" in careful.get("/metrics").text


def test_the_count_begins_at_nought_and_only_where_there_is_a_threshold(careful: FlaskClient) -> None:
    predictions(careful, "careful", SURE)
    predictions(careful, "bold", UNSURE)

    text = careful.get("/metrics").text
    assert f"{COUNTED} 0.0" in text
    assert 'convserve_abstained_total{model="bold"' not in text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/models/{}:predict", {"instances": [UNSURE.tolist()]}),
        (
            "/v2/models/{}/infer",
            {"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 8, 8, 1], "data": UNSURE.tolist()}]},
        ),
    ],
    ids=["v1", "v2"],
)
def test_other_protocols_answer_as_without_a_threshold(careful: FlaskClient, path: str, body: dict[str, Any]) -> None:
    abstained = careful.post(path.format("careful"), json=body).text
    answered = careful.post(path.format("bold"), json=body).text

    assert abstained.replace("careful", "bold") == answered


def test_the_threshold_stands_in_the_list_and_on_the_card(careful: FlaskClient) -> None:
    (listed,) = careful.get("/models/careful").get_json()["versions"]
    (other,) = careful.get("/models/bold").get_json()["versions"]
    card = careful.get("/models/careful/versions/1").get_json()

    assert listed["abstain_below"] == card["output"]["abstain_below"] == THRESHOLD
    assert "abstain_below" not in other


@pytest.mark.parametrize(
    ("operation", "path", "options"),
    [
        ("/predict", "/predict?model=careful", {"data": encode_png(UNSURE)}),
        ("/models/{name}", "/models/careful", {}),
        ("/models/{name}/versions/{version}", "/models/careful/versions/1", {}),
    ],
)
def test_the_answers_are_as_described(careful: FlaskClient, operation: str, path: str, options: Any) -> None:
    document, method = fetch_document(careful), "POST" if options else "GET"

    answer = careful.open(path, method=method, **options)

    assert answer.status_code == 200
    check_response(document, document["paths"][operation][method.lower()], answer)


def test_the_description_has_the_members_of_abstaining(careful: FlaskClient) -> None:
    document = fetch_document(careful)
    (prediction,) = predictions(careful, "careful", UNSURE)

    assert not conforms(document, {"$ref": "#/components/schemas/Prediction"}, {**prediction, "abstained": "yes"})
