"""The OpenAPI document, and checks of responses against it."""

import json
import re
from typing import Any

from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from werkzeug.test import TestResponse

from service.codecs.content_encoding import inflate
from tests.support.fuzz.corpus import HEADER_LENGTH

Document = dict[str, Any]

UNDESCRIBED = {"/pages/{file}"}  # the pages' own styles and scripts
METHODS = {"GET", "POST", "PUT", "DELETE", "PATCH"}


def fetch_document(client: FlaskClient) -> Document:
    """The document of a running service."""
    found: Document = client.get("/openapi.json").get_json()
    return found


def resolve(document: Document, value: Document) -> Document:
    """The target of a reference, or the value itself."""
    if "$ref" not in value:
        return value
    for step in value["$ref"].removeprefix("#/").split("/"):
        document = document[step]
    return document


def conforms(document: Document, schema: Document, value: object) -> bool:
    """Whether a value fits a schema that refers to the document's components."""
    return bool(OAS31Validator({**schema, "components": document["components"]}).is_valid(value))


def to_openapi_path(rule: str) -> str:
    """A path as OpenAPI writes it."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def check_response(document: Document, operation: Document, response: TestResponse) -> None:
    """Assert that a response has the status, headers, type and content that its operation describes."""
    described = resolve(document, operation["responses"][str(response.status_code)])
    headers = {name for name, header in described["headers"].items() if resolve(document, header).get("required")}
    assert headers <= set(response.headers.keys())
    if "content" not in described:
        assert response.data == b""
        return
    kind, value = read_response(response)
    assert response.mimetype in described["content"]
    assert conforms(document, described["content"][kind]["schema"], value), value


def read_response(response: TestResponse) -> tuple[str, object]:
    """The media type and value of a response; of JSON with tensors behind it, those of the JSON."""
    content = response.data
    if response.content_encoding:
        content = inflate(content, response.content_encoding, 1 << 20)
    if response.mimetype == "application/octet-stream":
        return "application/json", json.loads(content[: int(response.headers[HEADER_LENGTH])])
    return str(response.mimetype), json.loads(content) if response.is_json else content.decode()
