"""A model with a threshold says from which images it abstains, and why; one without answers as if there were none."""

import dataclasses
import json
import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from modelrepo.metadata import Preprocessing
from preprocessing.png import encode_png
from service.app import create_app
from service.ipc.workspace import WorkerContext
from service.settings import Settings
from service.telemetry.metrics import Metrics
from tests.support.bundles.tiny import OUTLIERS, PREPROCESSING, publish_tiny, tiny_graph, tiny_metadata
from tests.support.http.openapi import check_response, conforms, fetch_document
from tests.support.images.drawn import as_npy, tiny_image

SURE, UNSURE = tiny_image(1), tiny_image(1) // 2  # 0.965 and 0.785 for the middle
THRESHOLD = 0.9
REASONS = ("no_ink", "several_pieces", "unlike_training", "unsure")
ALL_BRIGHT = np.full_like(SURE, 255)  # the graph's outlier score is the mean of the pixels
BRIGHTEST = 200.0


@pytest.fixture
def logged() -> list[bytes]:
    """The lines of the access log."""
    return []


@pytest.fixture
def careful(
    settings: Settings, metrics: Metrics, context: WorkerContext, tmp_path: Path, logged: list[bytes]
) -> FlaskClient:
    """A service of `careful`, which abstains, and of `bold`, the same network that never does."""
    models = tmp_path / "models"
    output = dataclasses.replace(
        tiny_metadata("tiny").output, abstain_below=THRESHOLD, outlier_output=OUTLIERS, outlier_above=BRIGHTEST
    )
    publish_tiny(models, "careful", output=output, network=tiny_graph(outliers=True))
    publish_tiny(models, "bold")
    handwriting = Preprocessing(**{**vars(PREPROCESSING), "ink": True})
    publish_tiny(models, "ink", output=output, network=tiny_graph(outliers=True), preprocessing=handwriting)
    return create_app(dataclasses.replace(settings, models=models), metrics, context, logged.append).test_client()


def predictions(client: FlaskClient, model: str, *images: Any, query: str = "") -> list[dict[str, Any]]:
    """What the native protocol says of some pixels."""
    body = as_npy(np.stack(images))
    answer = client.post(f"/models/{model}/predict{query}", data=body, content_type="application/x-npy").get_json()
    found: list[dict[str, Any]] = answer["predictions"]
    return found


def counted(client: FlaskClient, model: str = "careful") -> dict[str, float]:
    """How often the metric says that a model abstained, by reason."""
    pattern = rf'^convserve_abstained_total{{model="{model}",reason="(\w+)",version="1"}} (.*)$'
    return {reason: float(count) for reason, count in re.findall(pattern, client.get("/metrics").text, re.MULTILINE)}


def test_each_image_has_whether_and_why_the_model_abstains(careful: FlaskClient) -> None:
    found = predictions(careful, "careful", UNSURE, SURE, ALL_BRIGHT)

    assert [each["abstained"] for each in found] == [True, False, True]
    assert [each.get("reason") for each in found] == ["unsure", None, "unlike_training"]
    assert list(found[0])[2:5] == ["probability", "abstained", "reason"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (as_npy(np.zeros((1, 8, 8, 1), np.uint8)), "application/x-npy"),
        (encode_png(np.zeros((8, 8), np.uint8)), "image/png"),
        (encode_png(np.full((60, 40, 3), 255, np.uint8)), "image/png"),
        (encode_png(np.zeros((1, 1, 3), np.uint8)), "image/png"),
    ],
    ids=["black pixels", "black image", "white sheet", "one pixel"],
)
def test_a_sheet_without_ink_says_so_in_every_form(careful: FlaskClient, body: bytes, content_type: str) -> None:
    answer = careful.post("/models/ink/predict", data=body, content_type=content_type).get_json()

    assert answer["predictions"][0]["reason"] == "no_ink"


def test_an_abstained_image_keeps_its_label_and_probabilities(careful: FlaskClient) -> None:
    (abstained,) = predictions(careful, "careful", UNSURE)
    (answered,) = predictions(careful, "bold", UNSURE)

    assert (abstained.pop("abstained"), abstained.pop("reason")) == (True, "unsure")
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
    long = careful.post("/models/careful/predict?&", data=encode_png(UNSURE), content_type="image/png")

    assert short.data == long.data
    assert b'"abstained":true' in short.data


def test_abstained_images_are_counted_in_every_protocol(careful: FlaskClient) -> None:
    file = {"b64": b64encode(encode_png(UNSURE)).decode()}
    tensor = {"name": "image", "datatype": "UINT8", "shape": [2, 8, 8, 1], "data": np.stack([UNSURE, SURE]).tolist()}
    predictions(careful, "careful", SURE, UNSURE, UNSURE)
    careful.post("/v1/models/careful:predict", json={"instances": [file]})
    careful.post("/v2/models/careful/infer", json={"inputs": [tensor]})

    assert counted(careful) == {**dict.fromkeys(REASONS, 0), "unsure": 4}


def test_the_count_begins_at_nought_and_only_where_there_is_a_threshold(careful: FlaskClient) -> None:
    predictions(careful, "careful", SURE)
    predictions(careful, "bold", UNSURE)

    assert counted(careful) == dict.fromkeys(REASONS, 0)
    assert counted(careful, "bold") == {}


def test_v1_answers_as_without_a_threshold(careful: FlaskClient) -> None:
    abstained, answered = (
        careful.post(f"/v1/models/{model}:predict", json={"instances": [UNSURE.tolist()]}).data
        for model in ("careful", "bold")
    )

    assert abstained == answered


@pytest.mark.parametrize(
    ("images", "parameters"),
    [
        ([SURE], {"abstained": False}),
        ([UNSURE], {"abstained": True, "reason": "unsure"}),
        ([ALL_BRIGHT, SURE, UNSURE], {"abstained": True, "reason": "unlike_training,,unsure"}),
    ],
    ids=["sure", "unsure", "several"],
)
@pytest.mark.parametrize("binary", [False, True], ids=["JSON", "binary"])
def test_v2_says_it_in_the_parameters_of_the_response(
    careful: FlaskClient, images: list[Any], parameters: dict[str, Any], binary: bool
) -> None:
    shape = [len(images), 8, 8, 1]
    body = {"inputs": [{"name": "image", "datatype": "UINT8", "shape": shape, "data": np.stack(images).tolist()}]}
    body |= {"parameters": {"binary_data_output": binary}}  # type: ignore[dict-item]

    abstained, answered = (careful.post(f"/v2/models/{model}/infer", json=body) for model in ("careful", "bold"))

    length = abstained.headers.get("Inference-Header-Content-Length", type=int)
    document, plain = json.loads(abstained.data[:length]), json.loads(answered.data[: length and -12 * len(images)])
    assert document.pop("parameters") == parameters
    assert {**document, "model_name": "bold"} == plain


def test_the_log_counts_the_images_and_names_the_first_reason(careful: FlaskClient, logged: list[bytes]) -> None:
    predictions(careful, "careful", SURE, ALL_BRIGHT, UNSURE)
    predictions(careful, "careful", SURE)

    abstained, answered = (json.loads(line) for line in logged)
    assert (abstained["abstained"], abstained["reason"]) == (2, "unlike_training")
    assert answered.keys().isdisjoint({"abstained", "reason"})


def test_the_threshold_stands_in_the_list_and_on_the_card(careful: FlaskClient) -> None:
    (listed,) = careful.get("/models/careful").get_json()["versions"]
    (other,) = careful.get("/models/bold").get_json()["versions"]
    card = careful.get("/models/careful/versions/1").get_json()

    assert listed["abstain_below"] == card["output"]["abstain_below"] == THRESHOLD
    assert listed["outlier_above"] == card["output"]["outlier_above"] == BRIGHTEST
    assert other.keys().isdisjoint({"abstain_below", "outlier_above"})


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
    assert not conforms(document, {"$ref": "#/components/schemas/Prediction"}, {**prediction, "reason": "moody"})
