"""A request with a costly image, from its suspension to its response, without a server: nothing of it is left."""

import gc
import io
import json
import time
import weakref
from wsgiref.types import WSGIEnvironment

import pytest
from flask import Flask
from werkzeug.test import create_environ

from service.environ import DEFERRED, RESUMED, Deferred
from tests.support.images.unusual_files import file_of, gradient, truncated

TIFF = file_of(gradient(50, 40), "TIFF")
MULTIPART = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + TIFF + b"\r\n--x--\r\n"


def call(app: Flask, body: bytes, media_type: str, resumed: Deferred | None) -> tuple[WSGIEnvironment, str, bytes]:
    """The environment after a call as our server makes it, the status and the body of the response."""
    environ = create_environ("/predict", method="POST", input_stream=io.BytesIO(body), content_length=len(body))
    environ |= {"CONTENT_TYPE": media_type, RESUMED: resumed}
    statuses: list[str] = []

    def start_response(status: str, *_: object) -> object:
        statuses.append(status)
        return lambda _: None

    response = b"".join(app.wsgi_app(environ, start_response))  # type: ignore[arg-type]
    return environ, statuses[-1], response


def finish(deferred: Deferred) -> None:
    until = time.monotonic() + 20
    while not deferred.is_over():
        assert time.monotonic() < until
        deferred.subject.job._look.__self__.complete(deferred.subject.job)


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        pytest.param(TIFF, "image/tiff", "200 OK", id="fast path"),
        pytest.param(MULTIPART, "multipart/form-data; boundary=x", "200 OK", id="form"),
        pytest.param(truncated(TIFF), "image/tiff", "400 BAD REQUEST", id="an error, fast path"),
        pytest.param(
            MULTIPART.replace(TIFF, truncated(TIFF)),
            "multipart/form-data; boundary=x",
            "400 BAD REQUEST",
            id="an error, form",
        ),
    ],
)
def test_a_request_is_suspended_resumed_and_forgotten(app: Flask, body: bytes, media_type: str, status: str) -> None:
    environ, _, dropped = call(app, body, media_type, None)
    deferred = environ[DEFERRED]
    assert dropped == b""
    finish(deferred)
    gc.collect()
    gc.disable()
    try:
        job = weakref.ref(deferred.subject.job)
        again, said, response = call(app, body, media_type, deferred)

        assert said == status
        assert DEFERRED not in again
        assert "error" in json.loads(response) or json.loads(response)["model_name"] == "mnist"
        del environ, deferred, again, response
        assert job() is None
    finally:
        gc.enable()


def test_a_suspension_leaves_no_cycle(app: Flask) -> None:
    gc.collect()
    gc.disable()
    try:
        environ, _, _ = call(app, MULTIPART, "multipart/form-data; boundary=x", None)
        finish(environ[DEFERRED])
        job = weakref.ref(environ[DEFERRED].subject.job)
        del environ
        assert job() is None
    finally:
        gc.enable()
