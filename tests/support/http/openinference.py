"""Requests of the Open Inference Protocol to the tiny models, for Flask's test client."""

import base64
import json
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from preprocessing.png import encode_png
from tests.support.images.drawn import tiny_image

INFER = "/v2/models/mnist/infer"
LENGTH = "Inference-Header-Content-Length"
PNG = encode_png(tiny_image(1))
IMAGE = {"name": "image", "datatype": "UINT8", "shape": [1, 8, 8, 1]}
JSON_IMAGE = {**IMAGE, "data": tiny_image(1).reshape(-1).tolist()}
PNG_BASE64 = base64.b64encode(PNG).decode()
BYTES_IMAGE = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [PNG_BASE64]}


def infer(client: FlaskClient, document: Any, binary: bytes = b"", path: str = INFER, **headers: str) -> TestResponse:
    """Post a request's JSON and bytes as Triton's client does: without a Content-Type."""
    header = json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    length = {LENGTH: str(len(header))} if binary else {}
    return client.post(path, data=header + binary, headers={**length, **named})


def output(response: TestResponse) -> dict[str, Any]:
    """The one output of a JSON response."""
    assert response.status_code == 200, response.data
    (found,) = response.get_json()["outputs"]
    return dict(found)


def labels(response: TestResponse) -> list[str]:
    """The best label of each image of a request for the classification of one."""
    return [text.split(":")[2] for text in output(response)["data"]]


def classified(classes: int, **parameters: Any) -> dict[str, Any]:
    return {"name": "probabilities", "parameters": {"classification": classes, **parameters}}
