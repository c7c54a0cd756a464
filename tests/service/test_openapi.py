"""The OpenAPI document says what the service does: every route is in it, and every answer is as it says."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from service.errors import RequestError
from service.openapi import describe
from service.registry import UNAVAILABLE, LoadedVersion, ModelRegistry
from service.routes.pages import FOLDER
from service.settings import Settings
from tests.support.pictures import as_png, picture

Document = dict[str, Any]

UNDESCRIBED = {"/pages/{file}"}  # the pages' own styles and scripts
METHODS = {"GET", "POST", "PUT", "DELETE", "PATCH"}
SKELETON = (FOLDER / "openapi.json").read_bytes()
PNG = as_png(picture(1))
PIXELS = picture(1)[None].tolist()


@pytest.fixture
def document(client: FlaskClient) -> Document:
    found: Document = client.get("/openapi.json").get_json()
    return found


def resolve(document: Document, value: Document) -> Document:
    """What a reference points to, or the value itself."""
    if "$ref" not in value:
        return value
    for step in value["$ref"].removeprefix("#/").split("/"):
        document = document[step]
    return document


def conforms(document: Document, schema: Document, value: object) -> bool:
    """Whether a value fits a schema that refers to the document's components."""
    return bool(OAS31Validator({**schema, "components": document["components"]}).is_valid(value))


def braced(rule: str) -> str:
    """A path as OpenAPI writes it."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def test_it_is_valid(document: Document) -> None:
    validate(document)


def test_it_is_valid_where_no_model_is_loaded() -> None:
    validate(describe(SKELETON, ModelRegistry([], "mnist"), Settings()))


def test_it_is_valid_where_every_version_was_refused() -> None:
    refused = LoadedVersion("mnist", 1, None, "its golden images come out wrong", "golden")
    document = describe(SKELETON, ModelRegistry([refused], "mnist"), Settings())

    validate(document)
    assert document["components"]["parameters"]["Name"]["schema"]["enum"] == ["mnist"]


def test_every_route_is_described_and_every_description_has_its_route(app: Flask, document: Document) -> None:
    rules = [(braced(rule.rule), rule.methods or set()) for rule in app.url_map.iter_rules()]
    routes = {(path, method) for path, methods in rules if path not in UNDESCRIBED for method in methods & METHODS}
    described = {
        (path, name.upper()) for path, item in document["paths"].items() for name in item if name.upper() in METHODS
    }

    assert described == routes


def test_every_placeholder_of_a_path_is_a_parameter(document: Document) -> None:
    for path, item in document["paths"].items():
        parameters = [resolve(document, each) for each in item.get("parameters", [])]

        assert [each["name"] for each in parameters if each["in"] == "path"] == re.findall(r"{(\w+)}", path)


def test_it_names_the_models_that_are_loaded(document: Document) -> None:
    parameters = document["components"]["parameters"]

    assert parameters["Name"]["schema"]["enum"] == ["colour", "mnist"]
    assert parameters["TopK"]["schema"]["maximum"] == 3
    assert "`mnist` looks at 8×8 grayscale and knows 3 labels: left, middle, right." in document["info"]["description"]


def test_it_names_the_limits(document: Document) -> None:
    said = document["components"]["requestBodies"]["Pictures"]["description"]

    assert said.endswith("At most 1,048,576 bytes a request, 8 pictures a request and 1,000,000 pixels a picture.")


def test_it_names_every_code_of_an_error(document: Document) -> None:
    codes = document["components"]["schemas"]["Error"]["properties"]["code"]["enum"]

    assert {error.code for error in RequestError.__subclasses__()} < set(codes)


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        pytest.param({"image": "iVBO"}, True, id="one picture"),
        pytest.param({"images": ["iVBO", "iVBO"]}, True, id="two pictures"),
        pytest.param({"images": []}, False, id="no picture"),
        pytest.param({"images": ["iVBO"] * 9}, False, id="too many pictures"),
        pytest.param({"instances": PIXELS}, True, id="pixels"),
        pytest.param({"instances": picture(1)[None, ..., 0].tolist()}, True, id="pixels without a channel axis"),
        pytest.param({"instances": picture(1, 3)[None].tolist()}, True, id="colours"),
        pytest.param({"instances": picture(1, 3)[None, :7].tolist()}, False, id="a row too few"),
        pytest.param({"instances": [[[[256]] * 8] * 8]}, False, id="brighter than white"),
        pytest.param({"image": "iVBO", "instances": PIXELS}, False, id="two members"),
    ],
)
def test_json_bodies_fit_the_schema_where_they_are_right(document: Document, body: Document, fits: bool) -> None:
    assert conforms(document, {"$ref": "#/components/schemas/PicturesInJson"}, body) is fits


@pytest.mark.parametrize(
    ("operation", "path", "options", "status"),
    [
        pytest.param("POST /predict", "/predict", {"data": PNG}, 200, id="prediction"),
        pytest.param("POST /predict", "/predict?top_k=1", {"json": {"instances": PIXELS}}, 200, id="pixels"),
        pytest.param(
            "POST /predict", "/predict", {"data": as_png(picture(1, 3))}, 200, id="prediction with preprocessing"
        ),
        pytest.param("POST /models/{name}/predict", "/models/mnist/predict", {"data": PNG}, 200, id="named"),
        pytest.param("POST /predict", "/predict", {"data": b"not an image"}, 400, id="no image"),
        pytest.param("POST /predict", "/predict?model=none", {"data": PNG}, 404, id="no such model"),
        pytest.param("POST /predict", "/predict", {"data": bytes(2 << 20)}, 413, id="too large"),
        pytest.param(
            "POST /predict", "/predict", {"data": b"x", "content_type": "text/csv"}, 415, id="unsupported type"
        ),
        pytest.param("GET /summary", "/summary", {}, 200, id="summary"),
        pytest.param("GET /summary", "/summary?format=text", {}, 200, id="summary as text"),
        pytest.param("GET /summary", "/summary?format=xml", {}, 400, id="summary as something else"),
        pytest.param("GET /models/{name}/summary", "/models/mnist/summary", {}, 200, id="summary of a model"),
        pytest.param("GET /models", "/models", {}, 200, id="models"),
        pytest.param("GET /models/{name}", "/models/mnist", {}, 200, id="model"),
        pytest.param("GET /models/{name}", "/models/none", {}, 404, id="no such model to see"),
        pytest.param("GET /models/{name}/versions/{version}", "/models/mnist/versions/2", {}, 200, id="card"),
        pytest.param("GET /models/{name}/versions/{version}", "/models/mnist/versions/x", {}, 400, id="no number"),
        pytest.param("GET /livez", "/livez", {}, 200, id="liveness"),
        pytest.param("GET /readyz", "/readyz", {}, 200, id="readiness"),
        pytest.param("GET /healthz", "/healthz", {}, 200, id="health"),
        pytest.param("GET /metrics", "/metrics", {}, 200, id="metrics"),
        pytest.param("GET /openapi.json", "/openapi.json", {}, 200, id="the document itself"),
        pytest.param("GET /docs", "/docs", {}, 200, id="docs"),
        pytest.param("GET /", "/", {}, 200, id="a word of life"),
        pytest.param("GET /", "/", {"headers": {"Accept": "text/html"}}, 200, id="the page"),
    ],
)
def test_answers_are_as_described(
    client: FlaskClient, operation: str, path: str, options: Document, status: int
) -> None:
    document = client.get("/openapi.json").get_json()
    method, route = operation.split()
    response = client.open(path, method=method, **options)
    answer = resolve(document, document["paths"][route][method.lower()]["responses"][str(status)])
    value = response.get_json() if response.is_json else response.text

    assert response.status_code == status, response.text
    assert set(answer["headers"]) <= set(response.headers.keys())
    assert conforms(document, answer["content"][response.mimetype]["schema"], value)


def test_a_wrong_method_is_answered_as_described(client: FlaskClient, document: Document) -> None:
    for path, item in document["paths"].items():
        response = client.put(re.sub("{.*?}", "1", path))
        responses = [operation["responses"] for name, operation in item.items() if name.upper() in METHODS]

        assert all("405" in each for each in responses)
        assert conforms(document, {"$ref": "#/components/schemas/Error"}, response.get_json())


def test_a_refused_version_is_as_described(document: Document) -> None:
    row = {"version": 3, "state": UNAVAILABLE, "reason": "its golden images come out wrong"}

    assert conforms(document, {"$ref": "#/components/schemas/ModelVersion"}, row)
    assert not conforms(document, {"$ref": "#/components/schemas/ModelVersion"}, {**row, "state": "READY"})
