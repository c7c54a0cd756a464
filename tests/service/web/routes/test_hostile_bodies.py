"""No body, query or header whatsoever is a 500: random structures for each form, seeded."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from preprocessing.png import encode_png
from service.app import create_app
from service.codecs.limits import MIN_JSON_NUMBERS
from service.ipc.workspace import WorkerContext
from service.settings import Settings
from service.telemetry.metrics import Metrics
from tests.support.images.drawn import tiny_image

SEED = 1
TIMES = 150
PNG = encode_png(tiny_image(1))
SCALARS: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 8, 28, 28.0, 0.5, -0.0, 1e308, 2**31, 2**63, 2**64 - 1, -(2**63)),
    *("", "12", "image", "AAAA", "UINT8", "BYTES", "FP32", "é", "\x00", "data:,", "x" * 300),
)
MEMBERS: tuple[str, ...] = (
    "instances",
    "image",
    "images",
    "inputs",
    "examples",
    "context",
    "b64",
    "name",
    "shape",
    "data",
    "datatype",
)
MEMBERS += ("parameters", "binary_data_size", "binary_data", "classification", "outputs", "id", "timeout", "ready")
PATHS: tuple[str, ...] = ("/predict", "/v1/models/mnist:predict", "/v1/models/mnist:classify", "/v2/models/mnist/infer")
PATHS += ("/v2/repository/index", "/v2/repository/models/mnist/load", "/models/colour/predict")
HEADERS: dict[str, tuple[str, ...]] = {
    "Inference-Header-Content-Length": ("0", "-1", "12", "1e3", "٣", " 5", "9" * 40, "true", ""),
    "Content-Encoding": ("gzip", "deflate", "identity", "gzip, gzip", "br", "", "x" * 99),
    "Content-Type": ("application/json", "application/x-npy", "image/png", "multipart/form-data", "text/plain; ;=", ""),
    "Accept-Encoding": ("gzip", "*;q=0", "gzip;q=x", ",", "identity;q=0"),
    "X-Request-ID": ("a", "\x7f", "x" * 200),
}
LITERALS: tuple[str, ...] = (
    "True",
    "1.5",
    "-1",
    "()",
    "(True, 28, 28)",
    "(1,)",
    "(8, 8)",
    "1" * 400,
    "None",
    "'|u1'",
    "'<f8'",
    "'>c16'",
)
LITERALS += (
    "'|V0'",
    "'U0'",
    "'O'",
    "'<M8[s]'",
    "[('a', '<f4')]",
    "('<f4', (2, 2))",
    "'a'",
    "'?'",
    "'g'",
    "'4u1'",
    "b''",
)


def draw_value(draw: random.Random, depth: int = 0) -> Any:
    """Any JSON value, of the members that some protocol knows."""
    kind = draw.random()
    if depth > 4 or kind < 0.4:
        return draw.choice(SCALARS)
    size = draw.choice((0, 1, 1, 2, 3, 8))
    if kind < 0.7:
        item = draw_value(draw, depth + 1)
        return [item] * size if draw.random() < 0.5 else [draw_value(draw, depth + 1) for _ in range(size)]
    return {draw.choice(MEMBERS): draw_value(draw, depth + 1) for _ in range(size)}


def draw_tensor_request(draw: random.Random) -> Any:
    """A request of /v2 some of whose members have any value."""
    tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 8, 8, 1], "data": [0] * 64, "parameters": {}}
    request = {
        "inputs": [tensor],
        "outputs": [{"name": "probabilities", "parameters": {}}],
        "parameters": {},
        "id": "1",
    }
    for place in draw.choices((tensor, tensor["parameters"], request, request["parameters"]), k=draw.choice((1, 2, 3))):
        assert isinstance(place, dict)
        place[draw.choice([*place, *MEMBERS])] = draw.choice((draw_value(draw, 3), draw.choice(SCALARS)))
    return request


def draw_instances(draw: random.Random) -> Any:
    """Images as lists, some of whose numbers are something else."""
    images: Any = [[[[0]] * 8 for _ in range(8)] for _ in range(2)]
    for _ in range(draw.choice((1, 2))):
        images[draw.randrange(2)][draw.randrange(8)] = draw_value(draw, 3)
    return {draw.choice(("instances", "inputs", "examples", "image")): images}


def draw_npy(draw: random.Random) -> bytes:
    """A .npy file with any literals in its header."""
    members = [f"'{name}': {draw.choice(LITERALS)}" for name in ("descr", "fortran_order", "shape")]
    if draw.random() < 0.7:
        members[draw.randrange(3)] = draw.choice(("'descr': '<f4'", "'fortran_order': True", "'shape': (1, 8, 8)"))
    header = ("{" + ", ".join(members) + "}").encode()
    length = draw.choice((len(header), len(header), 0, 65535))
    return b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + header + bytes(draw.choice((0, 1, 64, 256, 512)))


def draw_form(draw: random.Random) -> bytes:
    """Parts with odd headers, boundaries and ends."""
    dispositions = (
        *(b'form-data; name="a"; filename="b"', b"form-data", b"", b"attachment; filename=x", b"form-data; name=a;;;"),
        *(b"form-data; filename*=utf-8''%ff; name=a", b'form-data; name="\xff\x00"; filename="', b"x" * 3000),
    )
    parts = b""
    for _ in range(draw.choice((0, 1, 2, 30))):
        parts += b"--b" + draw.choice((b"\r\n", b"\n", b"--\r\n", b"")) + b"Content-Disposition: "
        parts += draw.choice(dispositions) + draw.choice((b"\r\n", b"\r\nContent-Type: \r\n", b": :\r\n")) + b"\r\n"
        parts += draw.choice((PNG, b"", b"\r\n--", b"\x00")) + b"\r\n"
    return parts + draw.choice((b"--b--\r\n", b"--b--", b"", b"--b"))


@pytest.fixture
def roomy(settings: Settings, metrics: Metrics, context: WorkerContext) -> FlaskClient:
    """A service that takes bodies of 16 MB."""
    return create_app(replace(settings, max_body_bytes=16 << 20), metrics, context, lambda _: None).test_client()


def to_json(make: Callable[[random.Random], Any]) -> Callable[[random.Random], bytes]:
    """The drawn value as text; Python's module writes numbers of any size."""
    return lambda draw: json.dumps(make(draw)).encode()


@pytest.mark.parametrize(
    ("make", "content_type"),
    [
        pytest.param(to_json(draw_value), "application/json", id="any JSON"),
        pytest.param(to_json(draw_tensor_request), "", id="tensors"),
        pytest.param(to_json(draw_instances), "application/json", id="instances"),
        pytest.param(draw_npy, "application/x-npy", id="npy"),
        pytest.param(draw_form, "multipart/form-data; boundary=b", id="form"),
    ],
)
def test_no_structure_is_an_unexpected_error(
    client: FlaskClient, make: Callable[[random.Random], bytes], content_type: str
) -> None:
    draw = random.Random(SEED)
    for number in range(TIMES):
        headers = {"Content-Type": content_type} if content_type else {}
        if draw.random() < 0.3:
            name = draw.choice(list(HEADERS))
            headers[name] = draw.choice(HEADERS[name])
        query = draw.choice(
            ("", "", "?top_k=0", "?top_k=1e3", "?top_k=true", "?version=-1", "?model=%00", "?top_k=" + "9" * 99)
        )
        path = "/predict" if make in (draw_npy, draw_form) else draw.choice(PATHS)
        body = make(draw)

        response = client.post(path + query, data=body, headers=headers)

        assert response.status_code not in (500, 502), (number, path, query, headers, body[:300], response.text)


@pytest.mark.parametrize(
    ("path", "member"),
    [("/predict", "instances"), ("/v1/models/mnist:predict", "instances"), ("/v1/models/mnist:predict", "inputs")],
)
def test_far_more_numbers_than_the_model_takes_are_refused_unread(roomy: FlaskClient, path: str, member: str) -> None:
    body = orjson.dumps({member: [[0] * (MIN_JSON_NUMBERS + 2)]})

    response = roomy.post(path, data=body, headers={"Content-Type": "application/json"})

    assert response.status_code == 413
    assert f"more than {MIN_JSON_NUMBERS} numbers" in response.get_json()["error"]


def test_thousands_of_tensors_are_refused_by_their_number(client: FlaskClient) -> None:
    document = {"inputs": [], "outputs": [{"name": "a"}] * 10_000}

    response = client.post("/v2/models/mnist/infer", data=orjson.dumps(document))

    assert response.status_code == 400
    assert "no model has more than 64" in response.get_json()["error"]
