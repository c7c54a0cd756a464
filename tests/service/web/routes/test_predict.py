"""POST /predict: every form of a body, every route and query, one answer."""

import base64
import io
import json
import re
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from preprocessing.png import encode_png
from service.telemetry.stage_timer import Stage, seconds_by_stage, server_timing
from tests.support.images.drawn import as_file, as_image, as_npy, tiny_image

PNG = encode_png(tiny_image(1))
TEXT = base64.b64encode(PNG).decode()
NPY = as_npy(tiny_image(1)[None])
MIDDLE = {"label": "middle", "index": 1}


def post(client: FlaskClient, body: bytes, content_type: str | None, path: str = "/predict") -> TestResponse:
    return client.post(path, data=body, content_type=content_type)


def post_json(client: FlaskClient, document: object) -> TestResponse:
    return post(client, json.dumps(document).encode(), "application/json")


def post_files(client: FlaskClient, *contents: bytes) -> TestResponse:
    files = [(io.BytesIO(content), f"{number}.png") for number, content in enumerate(contents)]
    return client.post("/predict", data={"file": files}, content_type="multipart/form-data")


def best(response: TestResponse) -> list[str]:
    assert response.status_code == 200, response.data
    return [prediction["label"] for prediction in response.get_json()["predictions"]]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(PNG, "image/png", id="PNG"),
        pytest.param(as_file(as_image(tiny_image(1)), "BMP"), "image/bmp", id="BMP"),
        pytest.param(as_file(as_image(tiny_image(1)), "GIF"), "image/gif", id="GIF"),
        pytest.param(as_file(as_image(tiny_image(1)), "TIFF"), "image/tiff", id="TIFF"),
        pytest.param(as_file(as_image(tiny_image(1)), "WEBP", lossless=True), "image/webp", id="WebP"),
        pytest.param(PNG, "image/jpeg", id="PNG that calls itself JPEG"),
        pytest.param(PNG, "application/octet-stream", id="type left to be found out"),
        pytest.param(PNG, "application/x-www-form-urlencoded", id="what curl says by default"),
        pytest.param(PNG, None, id="no type"),
        pytest.param(json.dumps({"image": TEXT}).encode(), "application/json", id="base64"),
        pytest.param(json.dumps({"image": TEXT}).encode(), "application/json; charset=utf-8", id="with a charset"),
        pytest.param(
            json.dumps({"image": f"data:image/png;base64,{TEXT}"}).encode(), "application/json", id="data URL"
        ),
        pytest.param(json.dumps({"images": [TEXT]}).encode(), "application/json", id="list of one"),
        pytest.param(json.dumps({"instances": tiny_image(1)[None].tolist()}).encode(), "application/json", id="pixels"),
        pytest.param(
            json.dumps({"instances": tiny_image(1)[None, ..., 0].tolist()}).encode(),
            "application/json",
            id="no channels",
        ),
        pytest.param(json.dumps({"image": TEXT}).encode(), None, id="JSON of no type"),
        pytest.param(NPY, "application/x-npy", id="npy"),
        pytest.param(NPY, "application/octet-stream", id="npy of no type"),
        pytest.param(as_npy(tiny_image(1)[None].astype(">f8")), "application/x-npy", id="npy of big-endian doubles"),
    ],
)
def test_every_form_of_a_body_gives_the_same_prediction(
    client: FlaskClient, body: bytes, content_type: str | None
) -> None:
    expected = post(client, PNG, "image/png").get_json()["predictions"][0]["top_k"]

    answer = post(client, body, content_type).get_json()

    (prediction,) = answer["predictions"]
    assert answer["model_name"] == "mnist"
    assert prediction.items() >= MIDDLE.items()
    assert prediction["top_k"] == expected


def test_a_form_with_one_file_gives_the_same_prediction(client: FlaskClient) -> None:
    assert best(post_files(client, PNG)) == ["middle"]


def test_an_answer_has_the_form_that_the_documentation_shows(client: FlaskClient) -> None:
    response = post(client, PNG, "image/png")

    answer: dict[str, Any] = response.get_json()
    (prediction,) = answer["predictions"]
    assert response.content_type == "application/json"
    assert (answer["model_name"], answer["model_version"]) == ("mnist", 2)
    assert prediction["top_k"][0] == {key: prediction[key] for key in ("label", "index", "probability")}
    assert sum(each["probability"] for each in prediction["top_k"]) == pytest.approx(1)


def test_many_images_are_answered_in_their_order(client: FlaskClient) -> None:
    pictures = [encode_png(tiny_image(place)) for place in (2, 0, 1)]
    texts = [base64.b64encode(content).decode() for content in pictures]
    arrays = np.stack([tiny_image(place) for place in (2, 0, 1)])

    answers = [
        best(post_files(client, *pictures)),
        best(post_json(client, {"images": texts})),
        best(post_json(client, {"instances": arrays.tolist()})),
        best(post(client, as_npy(arrays), "application/x-npy")),
    ]

    assert answers == [["right", "left", "middle"]] * 4


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/predict", 2),
        ("/predict/", 2),
        ("/predict?model=mnist", 2),
        ("/predict?version=1", 1),
        ("/predict?model=mnist&version=1", 1),
        ("/models/mnist/predict", 2),
        ("/models/mnist/predict?version=1", 1),
        ("/models/mnist/versions/1/predict", 1),
        ("/models/mnist/versions/2/predict", 2),
    ],
)
def test_the_route_and_the_query_name_model_and_version(client: FlaskClient, path: str, version: int) -> None:
    answer = post(client, PNG, "image/png", path).get_json()

    assert (answer["model_name"], answer["model_version"]) == ("mnist", version)


@pytest.mark.parametrize("path", ["/predict?model=colour", "/models/colour/predict"])
def test_a_grayscale_picture_is_made_colour_for_a_model_of_colour(client: FlaskClient, path: str) -> None:
    answer = post(client, PNG, "image/png", path).get_json()

    (prediction,) = answer["predictions"]
    assert prediction["label"] == "middle"
    assert prediction["preprocessing"] == ["rgb"]


def test_a_picture_of_the_right_size_has_no_preprocessing_steps(client: FlaskClient) -> None:
    (prediction,) = post(client, PNG, "image/png").get_json()["predictions"]

    assert "preprocessing" not in prediction


@pytest.mark.parametrize(("query", "count"), [("", 3), ("?top_k=1", 1), ("?top_k=2", 2), ("?top_k=3", 3)])
def test_top_k_says_how_many_classes_are_answered(client: FlaskClient, query: str, count: int) -> None:
    (prediction,) = post(client, PNG, "image/png", f"/predict{query}").get_json()["predictions"]

    assert len(prediction["top_k"]) == count


def test_server_timing_names_every_stage(client: FlaskClient) -> None:
    timing = post(client, PNG, "image/png").headers["Server-Timing"]

    stages = re.findall(r"(\w+);dur=(\d+\.\d{3})", timing)
    assert [name for name, _ in stages] == ["queue", "decode", "preprocess", "infer", "encode"]


def test_a_stage_that_comes_again_adds_to_its_time() -> None:
    ended = [(Stage.QUEUE, 10.0), (Stage.DECODE, 10.25), (Stage.PREPROCESS, 10.5), (Stage.DECODE, 11.0)]

    seconds = seconds_by_stage(ended, queue_seconds=0.5)

    assert server_timing(seconds) == "queue;dur=500.000, decode;dur=750.000, preprocess;dur=250.000"
