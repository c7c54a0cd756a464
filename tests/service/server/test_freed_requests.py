"""A body is freed when its request has been answered, also one that failed: none waits for a garbage collection."""

import gc
import weakref
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from gunicorn.config import Config

from preprocessing.png import encode_png
from service.errors import QueueFull, RequestError
from service.server.request_parser import RequestParser
from service.server.wsgi import WsgiGateway
from tests.support.images.drawn import tiny_image

IMAGE = encode_png(tiny_image(2))


def request(line: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{line} HTTP/1.1", "Host: test", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


REQUESTS = {
    "an image": request("POST /predict", IMAGE),
    "a damaged image": request("POST /predict", IMAGE[:-30]),
    "an image that is none": request("POST /predict", bytes(1000)),
    "an unknown model": request("POST /models/none/predict", IMAGE),
    "an unknown route": request("POST /none", IMAGE),
    "another method": request("PUT /predict", IMAGE),
    "broken JSON": request("POST /predict", b"{", "Content-Type: application/json"),
    "another type": request("POST /predict", bytes(1000), "Content-Type: text/html"),
    "a broken form": request("POST /predict", b"--b\r\n", "Content-Type: multipart/form-data; boundary=b"),
    "wrong JSON of Open Inference": request("POST /v2/models/mnist/infer", b'{"inputs": [{"name": "a"}]}'),
    "wrong JSON of TensorFlow Serving": request("POST /v1/models/mnist:predict", b'{"instances": [[]]}'),
    "an encoding that is wrong": request("POST /predict", IMAGE, "Content-Encoding: gzip"),
    "HEAD": request("HEAD /predict", IMAGE),
    "malformed": b"POST /predict HTTP/1.1\r\nHost: a\r\nBad header\r\n\r\n",
    "too large": request("POST /predict", bytes(20 << 20)),
}


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def is_freed(app: Flask, parser: RequestParser, error: RequestError | None) -> bool:
    """Let the application respond, then see what has become of the body that it was given."""
    bodies: list[weakref.ref[Any]] = []

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        response = app(environ, start_response)
        bodies.append(weakref.ref(environ["wsgi.input"]))
        return response

    gateway = WsgiGateway(watched, Config(), "127.0.0.1", 8000, lambda: False)
    connection: Any = SimpleNamespace(request=parser, address=("127.0.0.1", 1), deferred=None, closing=False)
    gateway.respond(connection, 0.0, error, leaving=False)
    body = bodies[0]()
    return body is None or body.closed


@pytest.mark.parametrize("data", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.usefixtures("no_garbage_collection")
def test_a_request_is_freed_when_it_has_been_answered(app: Flask, data: bytes) -> None:
    for _ in range(2):  # the first of a route fills caches
        parser = RequestParser(max_body_bytes=16 << 20)
        parser.feed(data)

        assert is_freed(app, parser, parser.error)


@pytest.mark.usefixtures("no_garbage_collection")
def test_a_request_for_which_there_was_no_room_is_freed_when_it_has_been_answered(app: Flask) -> None:
    parser = RequestParser(max_body_bytes=16 << 20)
    parser.feed(REQUESTS["an image"])

    assert is_freed(app, parser, QueueFull("too many"))
