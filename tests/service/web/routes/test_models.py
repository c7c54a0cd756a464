"""GET /models and the model cards: what is served, what is not, and why."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from modelrepo.metadata import parse_metadata
from modelrepo.reader import read_metadata
from tests.support.bundles.tiny import LABELS


def test_all_models_are_listed_with_their_versions(client: FlaskClient) -> None:
    document = client.get("/models").get_json()

    listed = {model["name"]: [each["version"] for each in model["versions"]] for model in document["models"]}
    assert listed == {"colour": [1], "mnist": [1, 2]}


def test_a_version_says_what_it_takes_and_gives(client: FlaskClient, models: Path) -> None:
    (version,) = client.get("/models/colour").get_json()["versions"]

    assert version == {
        "version": 1,
        "state": "READY",
        "description": "Where a picture is bright",
        "sha256": read_metadata(models / "colour" / "1").files["model.onnx"].sha256,
        "input": "8×8 rgb",
        "labels": list(LABELS),
        "accuracy": 1.0,
    }


def test_the_model_card_is_all_that_the_bundle_says_of_itself(client: FlaskClient, models: Path) -> None:
    card = client.get("/models/mnist/versions/1").get_json()

    assert card.pop("state") == "READY"
    assert parse_metadata(card) == read_metadata(models / "mnist" / "1")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/models/nothing", 404), ("/models/mnist/versions/3", 404), ("/models/mnist/versions/x", 400)],
)
def test_what_there_is_not_is_said(client: FlaskClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_a_rejected_version_is_listed_with_the_reason(damaged: FlaskClient) -> None:
    good, bad = damaged.get("/models/mnist").get_json()["versions"]

    assert good["state"] == "READY"
    assert bad["state"] == "UNAVAILABLE"
    assert bad["reason"].startswith("model.onnx has 1 bytes where the metadata says")


def test_a_rejected_version_leaves_the_old_one_serving(damaged: FlaskClient) -> None:
    assert damaged.get("/summary").get_json()["model_version"] == 1
    assert damaged.get("/models/mnist/versions/2").status_code == 404


def test_a_rejected_version_is_in_the_metrics(damaged: FlaskClient) -> None:
    text = damaged.get("/metrics").text

    assert 'convserve_model_load_failures_total{model="mnist",reason="corrupt",version="2"} 1.0' in text
    assert 'convserve_model_info{model="mnist"' in text
    assert 'convserve_model_info{model="other"' not in text


def test_a_model_without_a_good_version_makes_the_service_unready(damaged: FlaskClient) -> None:
    response = damaged.get("/readyz")

    document = response.get_json()
    assert response.status_code == 503
    assert document["problems"] == ["no version of other could be loaded"]
    assert document["refused"].keys() == {"mnist/2", "other/1"}
