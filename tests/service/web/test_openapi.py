"""The OpenAPI document: it is valid, it has every route, and it says what is loaded and what the limits are."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from modelrepo.repository import LAST_VERSION
from preprocessing.decode import FORMATS
from service.errors import RequestError
from service.inference.model_version import FailedVersion, UnloadedVersion
from service.inference.registry import ModelRegistry
from service.settings import Settings
from service.web.openapi.document import FILL, SAME, describe
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
    assert document["components"]["parameters"]["Name"]["schema"]["examples"] == ["mnist"]


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

    assert parameters["Name"]["schema"]["examples"] == ["colour", "mnist"]
    assert parameters["TopK"]["schema"]["maximum"] == 3
    assert sentence in document["info"]["description"]


def test_it_names_the_limits(document: Document) -> None:
    limits = "At most 1,048,576 bytes a request, 8 images a request and 1,000,000 pixels an image."

    assert all(body["description"].endswith(limits) for body in document["components"]["requestBodies"].values())


def test_it_names_the_image_types(document: Document) -> None:
    types = set(document["components"]["requestBodies"]["Images"]["content"])

    assert {form.media_type for form in FORMATS} < types


def test_json_is_the_first_form_of_every_body(document: Document) -> None:
    """OpenAPI Generator makes a method for the first form alone; one of bytes would be sent as JSON all the same."""
    bodies = [resolve(document, each["requestBody"]) for each in operations(document) if "requestBody" in each]

    assert {next(iter(body["content"])) for body in bodies} == {"application/json"}


def test_every_example_of_a_body_is_answered(client: FlaskClient, document: Document) -> None:
    posted = 0
    for path, operation in ((path, item["post"]) for path, item in document["paths"].items() if "post" in item):
        content = resolve(document, operation.get("requestBody", {})).get("content", {})
        for example in content.get("application/json", {}).get("examples", {}).values():
            if "security" in operation:
                continue  # it takes a key
            posted += 1
            response = client.post(fill_in(document, path), json=example["value"])

            assert response.status_code == 200, (path, response.text)
    assert posted >= 12


def fill_in(document: Document, path: str) -> str:
    """The path with the examples of its parameters."""
    for parameter in (resolve(document, each) for each in document["paths"][path].get("parameters", [])):
        path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
    return path


def test_it_names_every_code_of_an_error(document: Document) -> None:
    codes = document["components"]["schemas"]["Error"]["properties"]["code"]["enum"]

    assert {error.code for error in RequestError.__subclasses__()} < set(codes)


def schemas_in(value: Any) -> Iterator[Document]:
    """Every object at any depth; those of a document that are no schemas have none of a schema's words."""
    if isinstance(value, list):
        for each in value:
            yield from schemas_in(each)
    elif isinstance(value, dict):
        yield value
        for each in value.values():
            yield from schemas_in(each)


def test_no_schema_has_both_members_and_alternatives(document: Document) -> None:
    """Generators take one of the two, and leave the other out of the client."""
    mixed = [
        each for each in schemas_in(document) if "properties" in each and each.keys() & {"oneOf", "anyOf", "allOf"}
    ]

    assert mixed == []


def test_every_array_says_what_is_in_it(document: Document) -> None:
    assert [each for each in schemas_in(document) if each.get("type") == "array" and "items" not in each] == []


def test_every_constant_has_a_type_and_is_always_there(document: Document) -> None:
    """Without a type a client has an object of any kind; one that may be absent is no Python in one client."""
    for schema in (each for each in schemas_in(document) if "properties" in each):
        constants = {name for name, value in schema["properties"].items() if "const" in value}

        assert constants <= set(schema.get("required", ())), schema
        assert all("type" in schema["properties"][name] for name in constants)


def test_every_whole_number_says_how_large_it_becomes(document: Document) -> None:
    """Without a format a client in Java takes 32 bits, and a time in nanoseconds is no number there."""
    numbers = [each for each in schemas_in(document) if each.get("type") == "integer"]

    assert {each.get("format") for each in numbers} == {"int32", "int64"}
    assert [each for each in numbers if each["format"] == "int32" and each.get("maximum", 0) >= 1 << 31] == []


def test_versions_have_the_bounds_that_the_service_has(document: Document) -> None:
    schemas = document["components"]["schemas"]
    bounds = {"type": "integer", "format": "int64", "minimum": 1, "maximum": LAST_VERSION}

    assert document["components"]["parameters"]["Version"]["schema"] == bounds
    assert bounds.items() <= schemas["ModelVersion"]["properties"]["version"].items()


def test_bytes_are_known_as_bytes(document: Document) -> None:
    """Generators of clients look at the format, not at the media type."""
    contents = [each["content"] for each in schemas_in(document) if isinstance(each.get("content"), dict)]
    binary = [
        body["schema"]
        for content in contents
        for kind, body in content.items()
        if kind.startswith("image/") or kind in ("application/octet-stream", "application/x-npy")
    ]

    assert len(binary) > len(FORMATS)
    assert {(each["type"], each["format"]) for each in binary} == {("string", "binary")}
    assert document["components"]["schemas"]["Form"]["properties"]["file"]["items"]["format"] == "binary"


def test_operations_have_names_of_their_own(document: Document) -> None:
    names = [operation["operationId"] for operation in operations(document)]

    assert len(set(map(str.casefold, names))) == len(names)
    assert all(re.fullmatch(r"(v[12])?[a-z]*([A-Z][a-z]+)*", name) for name in names)


def test_no_component_has_the_name_of_another_or_of_what_belongs_to_an_operation(document: Document) -> None:
    """Generators make a type of each component, and of each operation's parameters, body and response."""
    components = [name.casefold() for members in document["components"].values() for name in members]
    suffixes = ("", "Request", "Response", "Params", "Parameters", "Body", "Query", "Data", "Result", "Error")
    types = {
        f"{operation['operationId']}{suffix}".casefold() for operation in operations(document) for suffix in suffixes
    }

    assert len(set(components)) == len(components)
    assert types.isdisjoint(components)


def operations(document: Document) -> list[Document]:
    return [
        operation for item in document["paths"].values() for name, operation in item.items() if name.upper() in METHODS
    ]


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
        "model example",
        "input names",
        "input name",
        "output name",
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


def test_a_skeleton_says_what_may_be_behind_names(document: Document) -> None:
    assert document["components"]["schemas"]["NamedImage"]["propertyNames"] == {"enum": ["image", "image_bytes"]}


def test_an_unknown_mark_is_an_error() -> None:
    with pytest.raises(KeyError, match="pixles"):
        describe([with_schema({FILL: "pixles"})], NOTHING, Settings())
