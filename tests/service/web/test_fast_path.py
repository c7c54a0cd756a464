"""The fast path answers as Flask does, and leaves everything else to Flask."""

import gc
import io
import json
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from preprocessing.decode import decode
from preprocessing.png import encode_png
from service.environ import ERROR, REQUEST_STATE
from service.errors import InvalidImage, ModelNotFound, Overloaded, RequestError
from service.inference import predictor
from service.settings import Settings
from service.telemetry.request_state import RequestState
from service.web.fast_path import FastPath
from tests.support.images.drawn import as_file, as_image, as_npy, tiny_image

PNG = encode_png(tiny_image(1))
BAD_PNG = PNG[:-30]


@pytest.fixture
def asked() -> list[tuple[bytes, Exception | None]]:
    """The bodies that the application behind the fast path was called with, and the errors that it is to answer."""
    return []


@pytest.fixture
def fast_path(app: Flask, asked: list[tuple[bytes, Exception | None]]) -> FastPath:
    """The application's own fast path, in front of a list of what it leaves to Flask."""
    middleware: Any = app.wsgi_app

    def behind(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked.append((environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)), environ.get(ERROR)))
        start_response("418 I'M A TEAPOT", [])
        return []

    own: FastPath = middleware._application
    return FastPath(behind, own._native, Settings(max_body_bytes=1 << 20, request_timeout=30))


def ask(fast_path: FastPath, **request: Any) -> tuple[str, RequestState]:
    """Post an image, or whatever `request` changes about it; returns the status and the request's state."""
    extra = request.pop("environ", {})
    builder = EnvironBuilder(
        **{"path": "/predict", "method": "POST", "data": PNG, "content_type": "image/png", **request}
    )
    state = RequestState("id", extra.pop("waited", 0.0))
    environ = {**builder.get_environ(), REQUEST_STATE: state, **extra}
    _, status, _ = run_wsgi_app(fast_path, environ)
    return status, state


def fast_and_slow(client: FlaskClient, path: str, **request: Any) -> tuple[TestResponse, TestResponse]:
    """The same request, once as it is and once with a query that the fast path leaves to Flask: it ends in &."""
    arguments = {"data": PNG, "content_type": "image/png", "headers": {"X-Request-ID": "id"}, **request}
    return client.post(path, **arguments), client.post(f"{path}{'&' if '?' in path else '?&'}", **arguments)


# The same responses


@pytest.mark.parametrize(
    "path",
    [
        "/predict",
        "/predict?top_k=2",
        "/predict?model=colour&top_k=1",
        "/predict?version=1",
        "/predict?version=1&version=1",
        "/models/mnist/predict",
        "/models/mnist/predict?version=1&model=mnist",
        "/models/mnist/versions/1/predict",
        "/models/mnist/versions/1/predict?version=1",
    ],
)
def test_the_answer_is_flasks_to_the_last_byte_but_for_the_times(client: FlaskClient, path: str) -> None:
    fast, slow = fast_and_slow(client, path)

    assert (fast.status_code, fast.data) == (slow.status_code, slow.data)
    assert fast.status_code == 200
    assert set(fast.headers.keys()) == set(slow.headers.keys())
    assert fast.headers["Content-Type"] == slow.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        pytest.param("/predict", {"data": BAD_PNG}, id="a damaged image"),
        pytest.param("/predict", {"data": BAD_PNG, "content_type": None}, id="a damaged image of no type"),
        pytest.param("/predict", {"data": b"not an image"}, id="no image, though declared as one"),
        pytest.param("/models/nothing/predict", {}, id="an unknown model"),
        pytest.param("/predict?model=nothing", {}, id="an unknown model in the query"),
        pytest.param("/models/mnist/versions/9/predict", {}, id="an unknown version"),
        pytest.param("/predict?version=x", {}, id="a version that is none"),
        pytest.param("/predict?version=1&version=2", {}, id="two versions"),
        pytest.param("/models/mnist/predict?model=colour", {}, id="two models"),
        pytest.param("/models/mnist/versions/1/predict?version=2", {}, id="two versions, one in the path"),
        pytest.param("/predict?top_k=0", {}, id="no classes"),
        pytest.param("/predict?top_k=-1", {}, id="a negative number of classes"),
    ],
)
def test_an_error_is_answered_logged_and_counted_as_flask_does_it(
    client: FlaskClient, log: list[bytes], path: str, request_: dict[str, Any]
) -> None:
    before = client.get("/metrics").text
    fast, slow = fast_and_slow(client, path, **request_)
    after = client.get("/metrics").text

    assert (fast.status_code, fast.data, fast.headers) == (slow.status_code, slow.data, slow.headers)
    assert fast.status_code in {400, 404}
    assert without_times(log[1]) == without_times(log[2])
    assert all(growth == 2 for growth in growths(before, after))


def growths(before: str, after: str) -> list[float]:
    """By how much each counter of failed requests has grown."""
    names = ("convserve_rejected_total{", "convserve_prediction_failures_total{", 'http_requests_total{method="POST"')
    old, new = (
        dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith(names)) for text in (before, after)
    )
    return [float(value) - float(old.get(name, 0)) for name, value in new.items()]


def without_times(line: bytes) -> dict[str, Any]:
    return {name: value for name, value in json.loads(line).items() if name not in {"time", "duration_ms"}}


# What is taken


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/predict", "/predict"),
        ("/models/mnist/predict", "/models/<name>/predict"),
        ("/models/mnist/versions/2/predict", "/models/<name>/versions/<version>/predict"),
    ],
)
def test_the_route_is_counted_under_flasks_name_for_it(fast_path: FastPath, path: str, route: str) -> None:
    status, state = ask(fast_path, path=path)

    assert status == "200 OK"
    assert state.route == route
    assert state.log_fields["label"] == "middle"


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param("image/jpeg", id="another image"),
        pytest.param(None, id="no type"),
        pytest.param("application/octet-stream", id="bytes"),
        pytest.param("application/x-www-form-urlencoded", id="what curl says by default"),
        pytest.param("text/plain; charset=utf-8", id="text"),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_an_image_is_taken_whatever_its_type_says(
    fast_path: FastPath, asked: list[tuple[bytes, Exception | None]], kind: str, content_type: str | None
) -> None:
    status, _ = ask(fast_path, data=as_file(as_image(tiny_image(1)), kind), content_type=content_type)

    assert (status, asked) == ("200 OK", [])


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-npy", "text/html", "application/x-www-form-urlencoded"]
)
def test_flask_takes_an_image_whatever_its_type_says_as_well(client: FlaskClient, content_type: str) -> None:
    declared, plain = client.post("/predict", data=PNG, content_type=content_type), client.post("/predict", data=PNG)
    unusual = client.post("/predict?&", data=PNG, content_type=content_type)

    assert declared.data == unusual.data == plain.data


# What is left to Flask


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({"path": "/summary"}, id="another path"),
        pytest.param({"path": "/models/mnist/versions/x/predict"}, id="a version that is none"),
        pytest.param({"query_string": "top_k=1&lang=en"}, id="another query"),
        pytest.param({"query_string": "top_k"}, id="a query without a value"),
        pytest.param({"query_string": "top_k=%31"}, id="an encoded query"),
        pytest.param({"query_string": "top_k=1&"}, id="a query that ends in &"),
        pytest.param({"query_string": "top_k=1&top_k=1"}, id="a name twice in the query"),
        pytest.param({"path": "/models/mnist/predict", "query_string": "model=colour"}, id="two models"),
        pytest.param({"method": "PUT"}, id="another method"),
        pytest.param({"content_type": "application/json", "data": b'{"image": "x"}'}, id="JSON"),
        pytest.param({"content_type": None, "data": b'{"image": "x"}'}, id="JSON of no type"),
        pytest.param({"content_type": "application/x-npy", "data": as_npy(tiny_image(1))}, id="npy"),
        pytest.param({"content_type": None, "data": as_npy(tiny_image(1))}, id="npy of no type"),
        pytest.param({"content_type": "multipart/form-data; boundary=x", "data": b"--x--"}, id="a form"),
        pytest.param({"headers": {"Content-Encoding": "gzip"}}, id="an encoding"),
        pytest.param({"data": b""}, id="no body"),
        pytest.param({"data": b"x" * ((1 << 20) + 1)}, id="a body over the limit"),
        pytest.param({"data": b"no image", "content_type": "text/plain"}, id="no image"),
        pytest.param({"data": b"no image"}, id="no image, though declared as one"),
        pytest.param({"environ": {ERROR: Overloaded("full")}}, id="an error of the server's"),
        pytest.param({"environ": {"waited": 31.0}}, id="past its deadline"),
    ],
)
def test_everything_else_is_left_to_flask_with_its_body(
    fast_path: FastPath, asked: list[tuple[bytes, Exception | None]], request_: dict[str, Any]
) -> None:
    status, state = ask(fast_path, **request_)

    assert status == "418 I'M A TEAPOT"
    assert asked == [(request_.get("data", PNG), request_.get("environ", {}).get(ERROR))]
    assert state.route == "unmatched"


# Errors


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        pytest.param({"data": BAD_PNG}, InvalidImage, id="a damaged image"),
        pytest.param({"path": "/models/nothing/predict"}, ModelNotFound, id="an unknown model"),
    ],
)
def test_an_error_is_handed_to_flask_to_be_answered(
    fast_path: FastPath,
    asked: list[tuple[bytes, Exception | None]],
    request_: dict[str, Any],
    error: type[RequestError],
) -> None:
    status, _ = ask(fast_path, **request_)

    assert status == "418 I'M A TEAPOT"
    assert [type(handed_over) for _, handed_over in asked] == [error]


@pytest.mark.parametrize("content_type", ["image/png", None])
def test_a_bad_image_is_decoded_once(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, content_type: str | None
) -> None:
    decoded = []

    def count(content: bytes, max_pixels: int) -> Any:
        decoded.append(content)
        return decode(content, max_pixels)

    monkeypatch.setattr(predictor, "decode", count)
    response = client.post("/predict", data=BAD_PNG, content_type=content_type)

    assert response.get_json()["code"] == "invalid_image"
    assert decoded == [BAD_PNG]


def test_a_fault_of_the_service_is_a_500_and_in_the_log(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(predictor, "decode", None)

    response = client.post("/predict", data=PNG, content_type="image/png")

    assert (response.status_code, response.get_json()["code"]) == (500, "internal_error")
    assert "TypeError: 'NoneType' object is not callable" in caplog.text


def test_an_error_and_its_request_are_freed_at_once(app: Flask) -> None:
    body = io.BytesIO(BAD_PNG)
    environ = EnvironBuilder(path="/predict", method="POST", input_stream=body, content_length=len(BAD_PNG))
    gc.collect()
    gc.disable()
    try:
        run_wsgi_app(app.wsgi_app, environ.get_environ())
        left = [each for each in gc.get_objects() if isinstance(each, InvalidImage)]
    finally:
        gc.enable()

    assert left == []
