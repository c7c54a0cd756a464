"""The shortcut answers as Flask does, and stays out of the way of everything else."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, run_wsgi_app

from preprocessing.png import encode_png
from service.environ import ERROR, REQUEST_STATE
from service.errors import Overloaded
from service.settings import Settings
from service.telemetry.request_state import RequestState
from service.web.fast_path import FastPath
from tests.support.images.drawn import picture

PNG = encode_png(picture(1))


@pytest.fixture
def asked() -> list[bytes]:
    """The bodies that the application behind the shortcut was asked with."""
    return []


@pytest.fixture
def shortcut(app: Flask, asked: list[bytes]) -> FastPath:
    """The application's own shortcut, in front of a note of what it leaves alone."""
    observer: Any = app.wsgi_app

    def behind(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        start_response("418 I'M A TEAPOT", [])
        return []

    own: FastPath = observer._application
    return FastPath(behind, own._native, Settings(max_body_bytes=1 << 20, request_timeout=30))


def ask(shortcut: FastPath, **request: Any) -> tuple[str, RequestState]:
    """Post a picture, or whatever `request` changes about it; returns the status and the record."""
    extra = request.pop("environ", {})
    builder = EnvironBuilder(
        **{"path": "/predict", "method": "POST", "data": PNG, "content_type": "image/png", **request}
    )
    state = RequestState("id", extra.pop("waited", 0.0))
    environ = {**builder.get_environ(), REQUEST_STATE: state, **extra}
    _, status, _ = run_wsgi_app(shortcut, environ)
    return status, state


@pytest.mark.parametrize("path", ["/predict", "/models/mnist/predict", "/models/mnist/versions/1/predict"])
def test_the_answer_is_flasks_to_the_last_byte_but_for_the_times(client: FlaskClient, path: str) -> None:
    short = client.post(path, data=PNG, content_type="image/png")
    long = client.post(f"{path}?flask=1", data=PNG, content_type="image/png")

    assert (short.status_code, short.data) == (long.status_code, long.data)
    assert set(short.headers.keys()) == set(long.headers.keys())
    assert short.headers["Content-Type"] == long.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/predict", "/predict"),
        ("/models/mnist/predict", "/models/<name>/predict"),
        ("/models/mnist/versions/2/predict", "/models/<name>/versions/<version>/predict"),
    ],
)
def test_the_route_is_counted_under_flasks_name_for_it(shortcut: FastPath, path: str, route: str) -> None:
    status, state = ask(shortcut, path=path)

    assert status == "200 OK"
    assert state.route == route
    assert state.log_fields["label"] == "middle"


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({"path": "/summary"}, id="another path"),
        pytest.param({"path": "/models/mnist/versions/x/predict"}, id="a version that is none"),
        pytest.param({"query_string": "top_k=1"}, id="a query"),
        pytest.param({"method": "PUT"}, id="another method"),
        pytest.param({"content_type": "application/octet-stream"}, id="a type that says nothing"),
        pytest.param({"headers": {"Content-Encoding": "gzip"}}, id="an encoding"),
        pytest.param({"data": b""}, id="no body"),
        pytest.param({"data": b"x" * ((1 << 20) + 1)}, id="a body over the limit"),
        pytest.param({"data": b"not an image"}, id="not an image"),
        pytest.param({"path": "/models/nothing/predict"}, id="an unknown model"),
        pytest.param({"environ": {ERROR: Overloaded("full")}}, id="refused already"),
        pytest.param({"environ": {"waited": 31.0}}, id="past its deadline"),
    ],
)
def test_everything_else_is_left_to_flask_with_its_body(
    shortcut: FastPath, asked: list[bytes], request_: dict[str, Any]
) -> None:
    status, state = ask(shortcut, **request_)

    assert status == "418 I'M A TEAPOT"
    assert asked == [request_.get("data", PNG)]
    assert state.route == "unmatched"
