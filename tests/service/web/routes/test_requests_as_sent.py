"""Requests as clients really send them: what is unambiguous is answered, the rest gets a sentence that helps."""

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pytest
from flask.testing import FlaskClient

from preprocessing.png import encode_png
from tests.support.http.native_requests import (
    BYTES,
    FORM,
    JSON,
    MULTIPART,
    Sent,
    by_requests,
    form,
    part,
    sent,
    sent_json,
)
from tests.support.images.drawn import as_file, as_image, as_npy, tiny_image

PNG = encode_png(tiny_image(1))
LARGE = as_file(as_image(np.random.default_rng(3).integers(0, 256, (64, 64, 1), np.uint8)), "PNG")
JPEG = as_file(as_image(np.tile(tiny_image(1), (16, 16, 1))), "JPEG", quality=95)
TEXT = base64.b64encode(PNG).decode()
PLUS = base64.b64encode(encode_png(tiny_image(1)) + b"\xfb\xef\xbe").decode()  # with + in it, behind the image
NPY = as_npy(tiny_image(1)[None])
FILE = part("file", PNG, "digit.png", "Content-Type: image/png")

READ = [
    pytest.param(by_requests(files={"file": PNG}), id="requests: a file"),
    pytest.param(by_requests(files={"anything": ("d.png", PNG)}), id="requests: a file of any name"),
    pytest.param(by_requests(data={"image": TEXT}), id="requests: a field"),
    pytest.param(by_requests(data={"image": f"data:image/png;base64,{TEXT}"}), id="requests: a data URL in a field"),
    pytest.param(by_requests(data=base64.b64encode(PNG)), id="requests: base64"),
    pytest.param(by_requests(json={"image": TEXT}), id="requests: JSON"),
    pytest.param(by_requests(json=TEXT), id="requests: a text as JSON"),
    pytest.param(by_requests(json=[TEXT]), id="requests: a list as JSON"),
    pytest.param(by_requests(json=tiny_image(1)[None].tolist()), id="requests: nested lists as JSON"),
    pytest.param(by_requests(files={"image": (None, TEXT)}), id="requests: base64 in a form"),
    pytest.param(sent(urlencode({"image": PLUS}), f"{FORM}; charset=UTF-8"), id="jQuery: a field"),
    pytest.param(sent(f"image={PLUS}", FORM), id="a field whose + is not escaped"),
    pytest.param(sent(urlencode({"images[]": PLUS}), FORM), id="jQuery: a list of one"),
    pytest.param(sent(urlencode({"image": TEXT}), JSON), id="jQuery: a form that calls itself JSON"),
    pytest.param(sent(urlencode({"image": TEXT})), id="a form of no type"),
    pytest.param(form(FILE, part("file2", b"", "", f"Content-Type: {BYTES}")), id="browser: an empty file input"),
    pytest.param(form(part("file2", b"", ""), FILE), id="browser: an empty file input before the file"),
    pytest.param(form(FILE, part("top_k", "")), id="browser: an empty field"),
    pytest.param(form(part("image", f"data:image/png;base64,{TEXT}")), id="browser: a canvas in a form"),
    pytest.param(form(part("blob", PNG, "blob")), id="browser: a blob"),
    pytest.param(sent(form(FILE)["data"].replace(b"\r\n--b", b"\n--b"), MULTIPART), id="a form with bare line feeds"),
    pytest.param(
        sent(gzip.compress(form(FILE)["data"]), MULTIPART, **{"Content-Encoding": "gzip"}), id="a compressed form"
    ),
    pytest.param(sent(PNG, "multipart/form-data"), id="an image that calls itself a form"),
    pytest.param(sent(PNG, JSON), id="an image that calls itself JSON"),
    pytest.param(sent(json.dumps({"image": TEXT}), "multipart/form-data"), id="JSON that calls itself a form"),
    *(
        pytest.param(sent(body, kind), id=f"{name} as {kind}")
        for name, body in {
            "base64": TEXT,
            "a data URL": f"data:image/png;base64,{TEXT}",
            "base64 for URLs": base64.urlsafe_b64encode(base64.b64decode(PLUS)).decode().rstrip("="),
            "base64 in lines": base64.encodebytes(PNG).decode(),
        }.items()
        for kind in (None, "text/plain", "text/plain; charset=utf-8", BYTES, FORM, JSON, "image/png")
    ),
    *(
        pytest.param(sent(body, kind), id=f"{name} as {kind}")
        for name, body in {"JSON": json.dumps({"image": TEXT}).encode(), "npy": NPY}.items()
        for kind in (None, "text/plain", "text/xml", "image/png", BYTES, FORM, JSON, "application/x-npy")
    ),
    pytest.param(sent(b"\xef\xbb\xbf" + json.dumps({"image": TEXT}).encode(), JSON), id="JSON with a byte order mark"),
    pytest.param(sent(gzip.compress(TEXT.encode()), **{"Content-Encoding": "gzip"}), id="compressed base64"),
    pytest.param(sent_json({"image": TEXT, "top_k": None, "model": None}), id="JSON with null for what is not set"),
]


@pytest.mark.parametrize("request_", READ)
def test_what_is_unambiguous_is_answered_as_the_file_is(shared_client: FlaskClient, request_: Sent) -> None:
    response = shared_client.post(**request_)

    assert response.status_code == 200, response.text
    (prediction,) = response.get_json()["predictions"]
    assert prediction["label"] == "middle"


def test_several_images_in_fields_and_files_are_answered_in_their_order(shared_client: FlaskClient) -> None:
    texts = [base64.b64encode(encode_png(tiny_image(place))).decode() for place in (2, 0)]
    bodies = [
        form(part("images", texts[0]), part("file", encode_png(tiny_image(0)), "a.png")),
        sent(urlencode([("images[]", text) for text in texts]), FORM),
        sent_json(texts),
    ]

    labels = [[each["label"] for each in shared_client.post(**body).get_json()["predictions"]] for body in bodies]

    assert labels == [["right", "left"]] * 3


# Errors

CURL = "curl --data-binary @"


def as_curl_sends(content: bytes) -> bytes:
    """The file as `curl -d @file` sends it: lines without their ends, each up to its first zero byte."""
    return b"".join(line.split(b"\0")[0] for line in content.replace(b"\r", b"\n").split(b"\n"))


ERRORS = [
    # Forms that cannot be taken apart
    pytest.param(sent(form(FILE)["data"], "multipart/form-data"), "has no boundary in Content-Type", id="no boundary"),
    pytest.param(
        sent(form(FILE)["data"], "multipart/form-data; boundary=x"), "'x', is not the body's", id="wrong boundary"
    ),
    pytest.param(
        sent(form(FILE)["data"], "multipart/form-data; boundary=x"), "boundary=b", id="the boundary that is right"
    ),
    pytest.param(sent(form(FILE)["data"][:-60], MULTIPART), "the form is cut short", id="cut short in the file"),
    pytest.param(sent(form(FILE)["data"][:-5], MULTIPART), "the form is cut short", id="cut short at the end"),
    pytest.param(sent(form(FILE)["data"][:30], MULTIPART), "the form is cut short", id="cut short in a header"),
    pytest.param(form(part("file", PNG)), "is an image file without a filename", id="no filename"),
    pytest.param(
        by_requests(files={"file": (None, PNG)}), "is an image file without a filename", id="requests: no filename"
    ),
    pytest.param(sent(b"--b\r\n\r\nx\r\n--b--\r\n", MULTIPART), "no header Content-Disposition", id="no disposition"),
    pytest.param(form(part("file", b"", "")), "the form has no file", id="only an empty file input"),
    pytest.param(form(part("top_k", "1")), "the form has no file", id="no file beside a parameter"),
    pytest.param(sent("top_k=1", FORM), "the form has no image", id="no image in an urlencoded form"),
    pytest.param(sent(b"abc", "multipart/form-data"), "does not begin with a part of a form", id="no form"),
    pytest.param(sent(form(FILE)["data"], BYTES), f"the body is a form, but Content-Type says {BYTES}", id="as bytes"),
    pytest.param(sent(form(FILE)["data"]), "the body is a form, but no Content-Type says so", id="of no type"),
    pytest.param(sent(form(FILE)["data"], JSON), "the body is a form, but Content-Type says", id="form as JSON"),
    pytest.param(form(part("file", "digit.png")), "write @ before it, as in curl -F file=@", id="curl -F without @"),
    # A file that is not there
    pytest.param(sent("digit.png", FORM), f"the name of a file, not the file: send its bytes, as {CURL}", id="no @"),
    pytest.param(sent("/home/me/My Pictures/digit 1.JPG", BYTES), "the name of a file", id="a path"),
    pytest.param(sent("digit.png", "image/png"), "the name of a file", id="no @, with a type"),
    pytest.param(sent("@digit.png", FORM), "the text '@digit.png', not that file", id="an @ that is sent"),
    pytest.param(sent("https://example.org/a.png", "text/plain"), "a URL, and the service fetches", id="a URL"),
    pytest.param(sent("image=https%3A%2F%2Fexample.org%2Fa.png", FORM), "a URL", id="a URL in a field"),
    pytest.param(sent_json("https://example.org/a.png"), "a URL", id="a URL as JSON"),
    # A file that is no longer what it was
    pytest.param(sent(as_curl_sends(PNG), FORM), f"removes them: send it with --{CURL[7:]}", id="-d @png"),
    pytest.param(sent(as_curl_sends(LARGE), FORM), "send it with --data-binary @file", id="-d @large.png"),
    pytest.param(sent(as_curl_sends(JPEG), FORM), "send it with --data-binary @file", id="-d @jpg"),
    pytest.param(sent(as_curl_sends(PNG), JSON), "send it with --data-binary @file", id="-d @png as JSON"),
    pytest.param(
        sent(as_curl_sends(as_file(as_image(tiny_image(1)), "GIF")), FORM), "--data-binary @file", id="-d @gif"
    ),
    pytest.param(
        sent(as_curl_sends(as_file(as_image(tiny_image(1)), "BMP")), FORM), "--data-binary @file", id="-d @bmp"
    ),
    pytest.param(sent(PNG.replace(b"\r\n", b"\n"), "image/png"), "its line breaks were changed", id="as text"),
    pytest.param(sent(PNG.decode(errors="replace"), "image/png"), "were read as text", id="PNG through UTF-8"),
    pytest.param(sent(JPEG.decode(errors="replace"), BYTES), "were read as text", id="JPEG through UTF-8"),
    pytest.param(sent(PNG.decode("latin-1"), "text/plain"), "encoded as UTF-8", id="PNG from Latin-1"),
    pytest.param(form(part("file", PNG.decode(errors="replace"), "a.png")), "were read as text", id="in a form"),
    # Base64
    pytest.param(sent(repr(base64.b64encode(PNG)), "text/plain"), "as Python prints bytes", id="repr"),
    pytest.param(sent_json({"image": repr(base64.b64encode(PNG))}), "as Python prints bytes", id="repr in JSON"),
    pytest.param(sent(quote(PLUS, safe=""), FORM), "percent-encoded (%2B", id="percent-encoded"),
    pytest.param(sent(urlencode({"image": quote(PLUS, safe="")}), FORM), "percent-encoded", id="encoded twice"),
    # JSON
    pytest.param(sent(json.dumps({"image": TEXT}).encode("utf-16"), JSON), "it is UTF-16", id="UTF-16"),
    pytest.param(sent(json.dumps({"image": TEXT}).encode("utf-32")), "it is UTF-32", id="UTF-32 of no type"),
    pytest.param(sent_json(json.dumps({"image": TEXT})), "encode it once", id="JSON in JSON"),
    pytest.param(sent(str({"image": TEXT}), JSON), "write it with json.dumps", id="Python's dict"),
    pytest.param(sent_json({}), "as JSON.stringify writes a file or form", id="{}"),
    pytest.param(sent("[object FormData]", "text/plain"), "use JSON.stringify", id="a form as text"),
    pytest.param(sent_json({"image": {}}), "not an object: JSON has no files", id="a file in JSON"),
    pytest.param(sent_json({"image": list(PNG)}), "not a list of bytes: encode them", id="bytes in JSON"),
    pytest.param(sent_json([{"image": TEXT}]), 'send files as {"images": [', id="a list of objects"),
    pytest.param(sent_json({"instances": [{"b64": TEXT}]}), 'send files as {"images": [', id="files as instances"),
    pytest.param(sent_json({"instances": [TEXT]}), 'send files as {"images": [', id="texts as instances"),
    pytest.param(sent_json({"image": TEXT, "top_k": True}), "not 'True'", id="top_k true"),
    pytest.param(sent_json({"image": TEXT, "top_k": [2]}), '"top_k" in the JSON must be', id="top_k as a list"),
    pytest.param(sent_json({"image": TEXT, "top_k": 2.5}), "not '2.5'", id="top_k 2.5"),
    # Pixels
    pytest.param(sent_json({"instances": [0] * 64}), "an array of shape [64]: send [N,8,8,1]", id="shape [64]"),
    pytest.param(sent_json([0] * 784), "an array of shape [784]: send [N,8,8,1]", id="shape [784]"),
    pytest.param(sent(as_npy(np.zeros(784)), BYTES), "an array of shape [784]", id="shape [784] as npy"),
    pytest.param(sent_json((tiny_image(1)[None] / 255).tolist()), "yours are all 0 or 1", id="scaled"),
    # Other files
    pytest.param(sent(gzip.compress(PNG), "image/png"), "add Content-Encoding: gzip", id="compressed, undeclared"),
    pytest.param(sent(b"PK\x03\x04", BYTES), "a zip archive", id="zip"),
    pytest.param(sent("hello", "text/plain"), "cannot read text/plain", id="text"),
]


@pytest.mark.parametrize(("request_", "sentence"), ERRORS)
def test_what_was_not_understood_gets_the_sentence_that_leads_to_the_fix(
    shared_client: FlaskClient, request_: Sent, sentence: str
) -> None:
    response = shared_client.post(**request_)

    document = response.get_json()
    assert response.status_code == (415 if document["code"] == "unsupported_type" else 400), document
    assert sentence in document["error"]


# The end of a document


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("/predict", PNG, id="fast path"),
        pytest.param("/predict?&", PNG, id="native"),
        pytest.param("/predict", b"?", id="error"),
        pytest.param("/v1/models/mnist:predict", {"instances": [{"b64": TEXT}]}, id="v1 predict"),
        pytest.param("/v1/models/mnist:classify", {"examples": [{"image": {"b64": TEXT}}]}, id="v1 classify"),
        pytest.param(
            "/v2/models/mnist/infer",
            {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": [TEXT]}]},
            id="v2 infer",
        ),
        *(pytest.param(path, None, id=path) for path in ("/models", "/summary", "/openapi.json", "/v2", "/nothing")),
    ],
)
def test_a_json_document_ends_with_a_line_break(shared_client: FlaskClient, path: str, body: Any) -> None:
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    response = shared_client.get(path) if body is None else shared_client.post(path, data=content)

    assert response.content_type == JSON
    assert response.data.endswith(b"}\n")
    assert json.loads(response.data)
