"""`model`, `version` and `top_k` in path, query, form and JSON: honoured, compared, and other names refused."""

import base64
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from preprocessing.png import encode_png
from tests.support.http.native_requests import FORM, Sent, form, part, sent, sent_json
from tests.support.images.drawn import tiny_image

PNG = encode_png(tiny_image(1))
TEXT = base64.b64encode(PNG).decode()
FILE = part("file", PNG, "digit.png", "Content-Type: image/png")
PARAMETERS = {"model": "mnist", "version": "1", "top_k": "2"}


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(form(FILE, *(part(*field) for field in PARAMETERS.items())), id="form, behind the file"),
        pytest.param(form(*(part(*field) for field in PARAMETERS.items()), FILE), id="form, before the file"),
        pytest.param(sent(urlencode({"image": TEXT, **PARAMETERS}), FORM), id="urlencoded form"),
        pytest.param(sent(urlencode({**PARAMETERS, "image": TEXT}), FORM), id="urlencoded form, before the image"),
        pytest.param(sent_json({"image": TEXT, **PARAMETERS}), id="JSON, as texts"),
        pytest.param(sent_json({"image": TEXT, "version": 1, "top_k": 2}), id="JSON, as numbers"),
        pytest.param(sent_json({"image": TEXT, "top_k": 2}, "/models/mnist/versions/1/predict"), id="path and JSON"),
        pytest.param(sent_json({"image": TEXT, "top_k": 2}, "/predict?version=1&top_k=2"), id="twice the same"),
        pytest.param(form(FILE, part("top_k", "2"), path="/models/mnist/predict?version=1"), id="path, query and form"),
    ],
)
def test_model_version_and_top_k_count_wherever_they_are(shared_client: FlaskClient, request_: Sent) -> None:
    document = shared_client.post(**request_).get_json()

    assert (document["model_name"], document["model_version"]) == ("mnist", 1)
    assert len(document["predictions"][0]["top_k"]) == 2


def test_the_body_may_name_another_model_than_the_default(shared_client: FlaskClient) -> None:
    document = shared_client.post(
        **sent_json({"model": "colour", "instances": tiny_image(1, 3)[None].tolist()})
    ).get_json()

    assert document["model_name"] == "colour"


def test_a_version_in_the_query_may_be_one_of_the_model_that_the_body_names(shared_client: FlaskClient) -> None:
    missing = shared_client.post(**sent_json({"model": "colour", "image": TEXT}, "/predict?version=2"))
    absent = shared_client.post(**sent_json({"image": TEXT}, "/predict?version=3"))

    assert "'colour' has no version 2" in missing.get_json()["error"]
    assert "'mnist' has no version 3" in absent.get_json()["error"]


CONTRADICTIONS = [
    (sent(PNG, path="/predict?top_k=1&top_k=2"), "top_k is '1' in the query and '2' in the query"),
    (sent(PNG, path="/models/mnist/predict?model=colour"), "model is 'mnist' in the path and 'colour' in the query"),
    (sent(PNG, path="/models/mnist/versions/1/predict?version=2"), "version is '1' in the path and '2' in the query"),
    (sent_json({"image": TEXT, "top_k": 1}, "/predict?top_k=2"), "top_k is '2' in the query and '1' in the JSON"),
    (
        form(FILE, part("model", "colour"), path="/models/mnist/predict"),
        "model is 'mnist' in the path and 'colour' in the form",
    ),
    (form(FILE, part("version", "1"), part("version", "2")), "version is '1' in the form and '2' in the form"),
]


@pytest.mark.parametrize(("request_", "sentence"), CONTRADICTIONS, ids=[sentence for _, sentence in CONTRADICTIONS])
def test_a_contradiction_is_an_error_that_says_both(shared_client: FlaskClient, request_: Sent, sentence: str) -> None:
    response = shared_client.post(**request_)

    assert (response.status_code, response.get_json()["code"]) == (400, "invalid_request")
    assert sentence in response.get_json()["error"]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/summary?fromat=text", "there is no query parameter 'fromat', did you mean \"format\"?"),
        ("/models/mnist/summary?top_k=1", "there is no query parameter 'top_k': there are"),
        ("/models/mnist/summary?model=colour", "model is 'mnist' in the path and 'colour' in the query"),
        ("/models/mnist/versions/1/summary?version=2", "version is '1' in the path and '2' in the query"),
    ],
)
def test_the_query_of_a_summary_is_read_in_the_same_way(shared_client: FlaskClient, path: str, sentence: str) -> None:
    response = shared_client.get(path)

    assert (response.status_code, response.get_json()["code"]) == (400, "invalid_request")
    assert sentence in response.get_json()["error"]


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        *(("topk", "top_k"), ("top-k", "top_k"), ("TOP_K", "top_k"), ("topK", "top_k"), ("k", "top_k"), ("n", "top_k")),
        *(("Model", "model"), ("modle", "model"), ("model_name", "model"), ("verison", "version"), ("lang", None)),
    ],
)
def test_an_unknown_name_is_refused_with_the_one_that_may_be_meant(
    shared_client: FlaskClient, name: str, guess: str | None
) -> None:
    requests_ = {
        "query parameter": sent(PNG, path=f"/predict?{name}=1"),
        "form field": form(FILE, part(name, "1")),
        "JSON member": sent_json({"image": TEXT, name: 1}),
    }

    for kind, request_ in requests_.items():
        response = shared_client.post(**request_)
        assert (response.status_code, response.get_json()["code"]) == (400, "invalid_request")
        hint = f', did you mean "{guess}"? There are ' if guess else ": there are "
        assert response.get_json()["error"].startswith(f"there is no {kind} {name!r}{hint}")
