"""The OpenAPI document: it is valid, it has every route, and it says what is loaded and what the limits are."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from preprocessing.decode import FORMATS
from service.errors import RequestError
from service.inference.model_version import FailedVersion, UnloadedVersion
from service.inference.registry import ModelRegistry
from service.settings import Settings
from service.web.openapi.document import FILL, SAME, SUFFIXES, describe
from service.web.routes.pages import SKELETONS
from tests.support.http.openapi import METHODS, UNDESCRIBED, Document, fetch_document, resolve, to_openapi_path

PARTS = [path.read_bytes() for path in SKELETONS]
NOTHING = ModelRegistry([], "mnist")
REFUSED = ModelRegistry([FailedVersion("mnist", 1, "its golden images come out wrong", "golden")], "mnist")
UNLOADED = ModelRegistry([UnloadedVersion("mnist", 1)], "mnist")


@pytest.fixture
def document(client: FlaskClient) -> Document:
    return fetch_document(client)


def test_it_is_valid(document: Document) -> None:
    validate(document)


def test_it_is_valid_where_no_model_is_loaded() -> None:
    validate(describe(PARTS, NOTHING, Settings()))


@pytest.mark.parametrize("registry", [REFUSED, UNLOADED], ids=["refused", "unloaded"])
def test_it_is_valid_where_no_version_of_a_model_is_served(registry: ModelRegistry) -> None:
    document = describe(PARTS, registry, Settings())

    validate(document)
    assert document["components"]["parameters"]["Name"]["schema"]["enum"] == ["mnist"]


def test_it_is_valid_where_every_model_is_unloaded() -> None:
    document = describe(PARTS, UNLOADED, Settings())

    validate(document)
    assert document["components"]["parameters"]["Name"]["schema"]["enum"] == ["mnist"]


def test_no_part_of_it_takes_the_place_of_another() -> None:
    parts = [json.loads(part) for part in PARTS]
    named = [
        *((path,) for part in parts for path in part["paths"]),
        *((kind, name) for part in parts for kind, members in part["components"].items() for name in members),
    ]

    assert len(set(named)) == len(named)


def test_every_route_is_described_and_every_description_has_its_route(app: Flask, document: Document) -> None:
    rules = [(to_openapi_path(rule.rule), rule.methods or set()) for rule in app.url_map.iter_rules()]
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
    sentence = "`mnist` takes 8×8 grayscale images and has 3 labels: left, middle, right."

    assert parameters["Name"]["schema"]["enum"] == ["colour", "mnist"]
    assert parameters["TopK"]["schema"]["maximum"] == 3
    assert sentence in document["info"]["description"]


def test_it_names_the_limits(document: Document) -> None:
    limits = "At most 1,048,576 bytes a request, 8 images a request and 1,000,000 pixels an image."

    assert all(body["description"].endswith(limits) for body in document["components"]["requestBodies"].values())


def test_it_names_the_image_types_first(document: Document) -> None:
    types = list(document["components"]["requestBodies"]["Images"]["content"])

    assert types[: len(FORMATS)] == [form.media_type for form in FORMATS]


def test_it_names_every_code_of_an_error(document: Document) -> None:
    codes = document["components"]["schemas"]["Error"]["properties"]["code"]["enum"]

    assert {error.code for error in RequestError.__subclasses__()} < set(codes)


def keys(value: Any) -> set[str]:
    """The names of all members, at any depth."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    return set(value).union(*map(keys, value.values())) if isinstance(value, dict) else set()


def with_schema(schema: Document) -> bytes:
    """A document with nothing but one schema."""
    document = {"paths": {}, "components": {"schemas": {"Anything": schema}}}
    return json.dumps(document).encode()


def test_no_mark_is_left_in_it(document: Document) -> None:
    assert {key for key in keys(document) if key.startswith("x-")} == {SAME}


def test_no_mark_is_left_in_it_where_no_model_is_loaded() -> None:
    document = describe(PARTS, NOTHING, Settings())

    assert {key for key in keys(document) if key.startswith("x-")} == {SAME}


@pytest.mark.parametrize(
    "mark",
    [
        "model names",
        "model example",
        "input names",
        "output names",
        "label examples",
        "most classes",
        "batches of pixels",
        "pixels",
    ],
)
def test_a_mark_leaves_nothing_where_no_model_is_loaded(mark: str) -> None:
    document = describe([with_schema({"type": "string", FILL: mark})], NOTHING, Settings())

    assert document["components"]["schemas"]["Anything"] == {"type": "string"}


def test_a_mark_is_filled_in_wherever_it_is() -> None:
    document = describe([with_schema({"anyOf": [{"items": {FILL: "most images"}}]})], NOTHING, Settings(max_images=8))

    assert document["components"]["schemas"]["Anything"] == {"anyOf": [{"items": {"maxItems": 8}}]}


def test_a_skeleton_says_what_may_be_behind_names() -> None:
    document = describe([with_schema({FILL: "model names", SUFFIXES: ["", "/x"]})], REFUSED, Settings())

    assert document["components"]["schemas"]["Anything"] == {"enum": ["mnist", "mnist/x"]}


def test_an_unknown_mark_is_an_error() -> None:
    with pytest.raises(KeyError, match="pixles"):
        describe([with_schema({FILL: "pixles"})], NOTHING, Settings())
