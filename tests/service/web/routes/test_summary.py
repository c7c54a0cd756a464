"""GET /summary: the layer table, for programs and for people."""

import pytest
from flask.testing import FlaskClient


@pytest.mark.parametrize(
    ("path", "name", "version"),
    [
        ("/summary", "mnist", 2),
        ("/summary?version=1", "mnist", 1),
        ("/summary?model=colour", "colour", 1),
        ("/models/colour/summary", "colour", 1),
        ("/models/mnist/summary?version=1", "mnist", 1),
        ("/models/mnist/versions/1/summary", "mnist", 1),
        ("/models/mnist/versions/2/summary", "mnist", 2),
    ],
)
def test_the_route_and_the_query_name_model_and_version(
    client: FlaskClient, path: str, name: str, version: int
) -> None:
    document = client.get(path).get_json()

    assert (document["model_name"], document["model_version"]) == (name, version)


def test_programs_get_the_layers_and_totals(client: FlaskClient) -> None:
    document = client.get("/models/colour/summary").get_json()

    assert document["input_shape"] == [None, 8, 8, 3]
    assert [(layer["type"], layer["output_shape"]) for layer in document["layers"]] == [
        ("Flatten", [None, 192]),
        ("Dense", [None, 3]),
    ]
    assert document["parameters"] == {"total": 576, "trainable": 576, "non_trainable": 0}
    assert document["multiply_adds"] == 576


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/summary?format=text", "application/json"),
        ("/models/mnist/versions/2/summary?format=text", "application/json"),
        ("/models/mnist/versions/2/summary", "text/plain"),
        ("/summary", "text/plain"),
        ("/summary", "text/plain, application/json;q=0.5"),
    ],
)
def test_people_get_the_table_that_keras_prints(client: FlaskClient, path: str, accept: str) -> None:
    response = client.get(path, headers={"Accept": accept})

    assert response.content_type == "text/plain; charset=utf-8"
    assert response.text.startswith('Model: "mnist"\n')
    assert "│ dense (Dense)     │ (None, 3)    │     192 │" in response.text


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/summary", None),
        ("/summary", "*/*"),
        ("/summary", "text/html"),
        ("/summary", "text/html, application/json"),
        ("/summary?format=json", "text/plain"),
    ],
)
def test_other_clients_get_json(client: FlaskClient, path: str, accept: str | None) -> None:
    response = client.get(path, headers={"Accept": accept} if accept else {})

    assert response.content_type == "application/json"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/summary?format=xml", 400, "invalid_request"),
        ("/summary?model=nothing", 404, "model_not_found"),
        ("/models/nothing/summary", 404, "model_not_found"),
        ("/summary?version=7", 404, "model_not_found"),
        ("/summary?version=new", 400, "invalid_request"),
        ("/models/mnist/versions/7/summary", 404, "model_not_found"),
        ("/models/nothing/versions/1/summary", 404, "model_not_found"),
        ("/models/mnist/versions/new/summary", 400, "invalid_request"),
    ],
)
def test_what_there_is_not_is_said(client: FlaskClient, path: str, status: int, code: str) -> None:
    response = client.get(path)

    assert (response.status_code, response.get_json()["code"]) == (status, code)
