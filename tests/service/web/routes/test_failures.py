"""Bad input: each kind has its status, its code word and one sentence, and the next request works."""

import base64
import io
import json
from collections.abc import Callable

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from preprocessing.png import encode_png
from service.telemetry.access_log import AccessLog
from service.telemetry.metrics import Metrics
from service.web.error_handlers import handle_errors
from service.web.hooks import admit_requests
from service.web.middleware import RequestMiddleware
from tests.support.images.drawn import as_file, as_image, as_npy, tiny_image
from tests.support.images.unusual_files import png_bomb

PNG = encode_png(tiny_image(1))
TEXT = base64.b64encode(PNG).decode()
NAN = as_npy(np.full((1, 8, 8, 1), np.nan))
JSON = "application/json"
Send = Callable[[FlaskClient], TestResponse]


def post(body: bytes, content_type: str | None = "image/png", path: str = "/predict") -> Send:
    return lambda client: client.post(path, data=body, content_type=content_type)


def post_json(document: object) -> Send:
    return post(json.dumps(document).encode(), JSON)


def post_files(*contents: bytes) -> Send:
    def send(client: FlaskClient) -> TestResponse:
        files = [(io.BytesIO(content), f"{number}.png") for number, content in enumerate(contents)]
        return client.post("/predict", data={"file": files}, content_type="multipart/form-data")

    return send


def call(method: str, path: str) -> Send:
    return lambda client: client.open(environ_overrides={"REQUEST_METHOD": method, "PATH_INFO": path})


BAD_INPUT = [
    pytest.param(post(b""), 400, "invalid_request", "the body is empty", id="empty body"),
    pytest.param(post(b"", None), 400, "invalid_request", "the body is empty", id="no body at all"),
    pytest.param(post(b"hello"), 400, "invalid_image", "not an image", id="not an image"),
    pytest.param(post(PNG[:-30]), 400, "invalid_image", "ends early", id="truncated image"),
    pytest.param(post(PNG[:20]), 400, "invalid_image", "ends early", id="truncated header"),
    pytest.param(post(b"<img>", "text/html"), 415, "unsupported_type", "cannot read text/html", id="unknown type"),
    pytest.param(post(b"\0\0\0\x18ftyp", "video/mp4"), 415, "unsupported_type", "cannot read video/mp4", id="film"),
    pytest.param(
        post(b"x" * (1 << 20) + b"x"), 413, "too_large", "larger than 1048576 bytes", id="over the byte limit"
    ),
    pytest.param(post(png_bomb(50_000, 50_000)), 413, "too_large", "2500000000 pixels", id="over the pixel limit"),
    pytest.param(post(png_bomb(1001, 1000)), 413, "too_large", "the limit is 1000000", id="just over it"),
    pytest.param(post_json({"images": [TEXT] * 9}), 413, "too_large", "9 images", id="too many images"),
    pytest.param(post_json({"images": ["?"] * 9}), 413, "too_large", "9 images", id="too many to be read at all"),
    pytest.param(post_files(*[PNG] * 9), 413, "too_large", "9 images", id="too many files"),
    pytest.param(post_files(*[PNG] * 50), 413, "too_large", "too many", id="far too many files"),
    pytest.param(
        post_json({"instances": np.zeros((9, 8, 8)).tolist()}), 413, "too_large", "9 images", id="too many arrays"
    ),
    pytest.param(
        post(as_npy(np.zeros((9, 8, 8, 1), np.uint8)), "application/x-npy"), 413, "too_large", "9 images", id="npy"
    ),
    pytest.param(
        post_json({"instances": np.zeros((1, 1, 8, 8)).tolist()}),
        400,
        "invalid_array",
        "you sent an array of shape [1,1,8,8]: send [N,8,8,1]",
        id="wrong shape",
    ),
    pytest.param(post_json({"instances": [[1, 2], [3]]}), 400, "invalid_array", "equal lengths", id="ragged"),
    pytest.param(post_json({"instances": 5}), 400, "invalid_array", "shape []", id="one number"),
    pytest.param(post_json({"instances": []}), 400, "invalid_array", "shape [0]", id="no instances"),
    pytest.param(post_json({"instances": [[["0"] * 8] * 8]}), 400, "invalid_array", "numbers", id="pixels as texts"),
    pytest.param(
        post_json({"instances": ["a" * 500_000, *[""] * 100_000]}),
        400,
        "invalid_array",
        "nothing but numbers",
        id="texts of a terabyte",
    ),
    pytest.param(
        post_json({"instances": np.full((1, 8, 8), 0.5).tolist()}), 400, "invalid_array", "whole", id="scaled to 1"
    ),
    pytest.param(
        post(as_npy(np.zeros((1, 8, 8, 1), bool)), "application/x-npy"), 400, "invalid_array", "bool", id="wrong dtype"
    ),
    pytest.param(post(NAN, "application/x-npy"), 400, "invalid_array", "NaN or infinity", id="NaN"),
    pytest.param(post(b'{"instances": [[NaN]]}', JSON), 400, "invalid_request", "NaN", id="NaN in JSON"),
    pytest.param(post(b"\x93NUMPY", None), 400, "invalid_array", "numpy.save", id="no npy file"),
    pytest.param(post_json({"image": "&&&"}), 400, "invalid_image", "not valid base64", id="invalid base64"),
    pytest.param(post_json({"image": 1}), 400, "invalid_image", "must be a text", id="a number as an image"),
    pytest.param(post_json({"images": []}), 400, "invalid_request", "not empty", id="no images"),
    pytest.param(post_json({"images": TEXT}), 400, "invalid_request", "must be an array", id="images as a text"),
    pytest.param(post(b'{"image": ', JSON), 400, "invalid_request", "not valid JSON", id="invalid JSON"),
    pytest.param(post(b"\xff\xfe", JSON), 400, "invalid_request", "not valid JSON", id="JSON that is no text"),
    pytest.param(post(b"[" * 100_000, JSON), 400, "invalid_request", "not valid JSON", id="JSON without end"),
    pytest.param(post_json([]), 400, "invalid_request", "exactly one of", id="JSON array without items"),
    pytest.param(post_json(1), 400, "invalid_request", "exactly one of", id="JSON number"),
    pytest.param(post_json({"picture": TEXT}), 400, "invalid_request", "no JSON member 'picture'", id="unknown member"),
    pytest.param(
        post_json({"image": TEXT, "images": [TEXT]}), 400, "invalid_request", "exactly one of", id="two members"
    ),
    pytest.param(post_files(), 400, "invalid_request", "the form has no file", id="form without a file"),
    pytest.param(
        post(PNG, path="/models/nothing/predict"), 404, "model_not_found", "there is colour, mnist", id="unknown model"
    ),
    pytest.param(post(PNG, path="/predict?model=x"), 404, "model_not_found", "no model 'x'", id="unknown, by query"),
    pytest.param(
        post(PNG, path="/models/mnist/versions/9/predict"),
        404,
        "model_not_found",
        "loaded is 1, 2",
        id="unknown version",
    ),
    pytest.param(
        post(PNG, path="/models/mnist/versions/x/predict"), 400, "invalid_request", "whole number", id="version x"
    ),
    pytest.param(post(PNG, path="/predict?version=0"), 400, "invalid_request", "whole number", id="version 0"),
    pytest.param(post(PNG, path="/predict?version=%C2%B2"), 400, "invalid_request", "not '²'", id="version ²"),
    pytest.param(post(PNG, path="/predict?top_k=0"), 400, "invalid_request", "from 1 to 3", id="top_k 0"),
    pytest.param(post(PNG, path="/predict?top_k=-1"), 400, "invalid_request", "from 1 to 3", id="top_k -1"),
    pytest.param(post(PNG, path="/predict?top_k=4"), 400, "invalid_request", "from 1 to 3", id="top_k 4"),
    pytest.param(post(PNG, path="/predict?top_k=1000000000"), 400, "invalid_request", "from 1 to 3", id="top_k 10^9"),
    pytest.param(post(PNG, path="/predict?top_k=abc"), 400, "invalid_request", "not 'abc'", id="top_k abc"),
    pytest.param(post(PNG, path="/predict?top_k="), 400, "invalid_request", "from 1 to 3", id="top_k empty"),
    pytest.param(call("GET", "/predict"), 405, "method_not_allowed", "/predict takes", id="wrong method"),
    pytest.param(call("BREW", "/models"), 405, "method_not_allowed", "/models takes", id="unknown method"),
    pytest.param(call("POST", "/predcit"), 404, "route_not_found", "there is no /predcit", id="wrong path"),
    pytest.param(call("GET", "/summary//x"), 404, "route_not_found", "there is no /summary//x", id="two slashes"),
    pytest.param(call("GET", "/models/../etc"), 404, "route_not_found", "there is no", id="dots"),
    pytest.param(call("GET", "/\xff\x00"), 404, "route_not_found", "there is no", id="a path that is no text"),
    pytest.param(
        lambda client: client.post("/predict", data=PNG, headers={"Content-Encoding": "br"}),
        415,
        "unsupported_type",
        "cannot read Content-Encoding: br",
        id="compressed",
    ),
]


@pytest.mark.parametrize(("send", "status", "code", "sentence"), BAD_INPUT)
def test_bad_input_is_answered_with_what_to_do_and_the_next_request_works(
    client: FlaskClient, send: Send, status: int, code: str, sentence: str
) -> None:
    response = send(client)

    document = json.loads(response.data)
    assert (response.status_code, document["code"]) == (status, code), document
    assert sentence in document["error"]
    assert set(document) == {"error", "code", "request_id"}
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Request-ID"] == document["request_id"]
    assert post(PNG)(client).status_code == 200


def rotated() -> bytes:
    """A picture that is bright on the left once the camera's orientation is taken into account."""
    exif = Image.Exif()
    exif[0x0112] = 3
    return as_file(as_image(tiny_image(2)), "JPEG", exif=exif, quality=95)


UNUSUAL = [
    pytest.param(as_file(as_image(tiny_image(1)).convert("RGBA"), "PNG"), "middle", id="PNG with alpha"),
    pytest.param(as_file(as_image(tiny_image(1)).convert("LA"), "PNG"), "middle", id="grayscale with alpha"),
    pytest.param(as_file(as_image(tiny_image(1)).convert("P"), "PNG"), "middle", id="palette"),
    pytest.param(
        as_file(Image.fromarray(tiny_image(1)[..., 0].astype(np.uint16) * 257), "PNG"), "middle", id="16 bits"
    ),
    pytest.param(as_file(as_image(tiny_image(1)).convert("1"), "PNG"), "middle", id="1 bit"),
    pytest.param(as_file(as_image(tiny_image(1)).convert("CMYK"), "JPEG", quality=95), "middle", id="CMYK JPEG"),
    pytest.param(rotated(), "left", id="rotated JPEG"),
    pytest.param(
        as_file(as_image(tiny_image(0)), "GIF", save_all=True, append_images=[as_image(tiny_image(2))]),
        "left",
        id="animated GIF",
    ),
    pytest.param(as_file(Image.new("L", (1, 1), 255), "PNG"), None, id="1 × 1"),
    pytest.param(as_file(Image.new("L", (1, 5000), 255), "PNG"), None, id="1 × 5000"),
    pytest.param(as_file(Image.new("L", (5000, 1), 255), "PNG"), None, id="5000 × 1"),
]


@pytest.mark.parametrize(("body", "label"), UNUSUAL)
def test_unusual_pictures_are_understood(client: FlaskClient, body: bytes, label: str | None) -> None:
    response = post(body)(client)

    (prediction,) = response.get_json()["predictions"]
    assert response.status_code == 200
    assert label in {None, prediction["label"]}


@pytest.mark.parametrize(
    ("send", "name"),
    [
        pytest.param(post_json({"images": [TEXT, base64.b64encode(b"x").decode(), TEXT]}), "image 2:", id="base64"),
        pytest.param(post_json({"images": [TEXT, TEXT, "&"]}), "image 3 is", id="no base64"),
        pytest.param(post_files(PNG, PNG[:-30], PNG), "image 2 (1.png): the image ends early", id="files"),
    ],
)
def test_one_bad_image_among_many_is_named(client: FlaskClient, send: Send, name: str) -> None:
    response = send(client)

    assert response.status_code == 400
    assert response.get_json()["error"].startswith(name)


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [("/predict", "GET", {"POST", "OPTIONS"}), ("/summary", "DELETE", {"GET", "HEAD", "OPTIONS"})],
)
def test_an_error_of_the_method_names_the_right_ones(
    client: FlaskClient, path: str, method: str, allowed: set[str]
) -> None:
    response = client.open(path, method=method)

    assert set(response.headers["Allow"].split(", ")) == allowed


@pytest.fixture
def failing(metrics: Metrics, log: list[bytes]) -> FlaskClient:
    """An application with one route, which has a bug."""
    app = Flask("failing")
    admit_requests(app, request_timeout=30)
    handle_errors(app, metrics)
    app.wsgi_app = RequestMiddleware(app.wsgi_app, metrics, AccessLog(log.append, "json"))  # type: ignore[method-assign]

    @app.get("/bug")
    def bug() -> str:
        raise KeyError("secret")

    @app.get("/hungry")
    def hungry() -> str:
        raise MemoryError

    return app.test_client()


def test_want_of_memory_is_no_fault_of_the_request(failing: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    response = failing.get("/hungry")

    document = response.get_json()
    assert (response.status_code, document["code"]) == (503, "overloaded")
    assert response.headers["Retry-After"] == "1"
    assert "not enough memory" in caplog.text
    assert "Traceback" not in caplog.text


def test_an_unexpected_error_is_a_plain_500_and_in_the_log(
    failing: FlaskClient, log: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    response = failing.get("/bug")

    document = response.get_json()
    assert (response.status_code, document["code"]) == (500, "internal_error")
    assert b"secret" not in response.data
    assert b"Traceback" not in response.data
    assert "KeyError: 'secret'" in caplog.text
    assert document["request_id"] in caplog.text
    assert json.loads(log[0])["status"] == 500


@pytest.mark.parametrize(
    "headers", [{"Host": ".."}, {"Connection": "Upgrade", "Upgrade": "websocket"}], ids=["host", "websocket"]
)
def test_an_error_of_the_framework_says_why(client: FlaskClient, headers: dict[str, str]) -> None:
    response = client.get("/models", headers=headers)

    assert (response.status_code, response.get_json()["code"]) == (400, "bad_request")
    assert response.get_json()["error"].startswith("the Host or Upgrade header")


def test_doubled_slashes_are_another_path(client: FlaskClient) -> None:
    assert client.get("/v2//models").status_code == 404


def test_every_error_is_counted_by_its_code(client: FlaskClient) -> None:
    for _ in range(2):
        post(b"hello")(client)
    call("GET", "/nowhere")(client)

    text = client.get("/metrics").text

    assert 'convserve_rejected_total{reason="invalid_image"} 2.0' in text
    assert 'convserve_rejected_total{reason="route_not_found"} 1.0' in text
