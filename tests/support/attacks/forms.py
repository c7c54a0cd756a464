"""Every form in which an image file is sent: its route, its path, and the bytes of the request."""

import base64
import gzip
import json
from collections.abc import Callable, Sequence
from functools import partial

from tests.support.http.raw_client import request

Form = Callable[[Sequence[bytes]], tuple[str, bytes]]  # files → the route that counts it, and the request
NATIVE, V1, V2 = "/predict", "/v1/models/<name>:predict", "/v2/models/<name>/infer"


def plain(files: Sequence[bytes], path: str = "/predict", route: str = NATIVE) -> tuple[str, bytes]:
    """The first file as the body."""
    return route, request("POST", path, files[0], content_type="image/png")


def packed(files: Sequence[bytes]) -> tuple[str, bytes]:
    """The first file as the body, with Content-Encoding: gzip."""
    body = gzip.compress(files[0], 6, mtime=0)
    return NATIVE, request("POST", "/predict", body, content_type="image/png", content_encoding="gzip")


def multipart(files: Sequence[bytes]) -> tuple[str, bytes]:
    """A form of all files."""
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    body = b"".join(head + content + b"\r\n" for content in files) + b"--b--\r\n"
    return NATIVE, request("POST", "/predict", body, content_type="multipart/form-data; boundary=b")


def in_json(files: Sequence[bytes]) -> tuple[str, bytes]:
    """All files as base64 in the native JSON."""
    return NATIVE, _json("/predict", {"images": _texts(files)})


def v1(files: Sequence[bytes]) -> tuple[str, bytes]:
    """All files as TensorFlow Serving has them."""
    return V1, _json("/v1/models/mnist:predict", {"instances": [{"b64": text} for text in _texts(files)]})


def v2(files: Sequence[bytes]) -> tuple[str, bytes]:
    """All files as texts of an Open Inference tensor."""
    tensor = {"name": "image", "shape": [len(files)], "datatype": "BYTES", "data": _texts(files)}
    return V2, _json("/v2/models/mnist/infer", {"inputs": [tensor]})


def v2_binary(files: Sequence[bytes]) -> tuple[str, bytes]:
    """All files as binary elements of an Open Inference tensor."""
    elements = b"".join(len(content).to_bytes(4, "little") + content for content in files)
    size = {"binary_data_size": len(elements)}
    tensor = {"name": "image", "shape": [len(files)], "datatype": "BYTES", "parameters": size}
    document = json.dumps({"inputs": [tensor]}).encode()
    return V2, request(
        "POST",
        "/v2/models/mnist/infer",
        document + elements,
        inference_header_content_length=str(len(document)),
        content_type="application/octet-stream",
    )


# A tall drawing, which the model of handwriting prepares in its own way.
handwriting = partial(plain, path="/models/written/predict", route="/models/<name>/predict")

FORMS: dict[str, Form] = {
    "image": plain,
    "gzip": packed,
    "multipart": multipart,
    "JSON": in_json,
    "v1": v1,
    "v2": v2,
    "v2 binary": v2_binary,
    "handwriting": handwriting,
}


def _json(path: str, document: object) -> bytes:
    return request("POST", path, json.dumps(document).encode(), content_type="application/json")


def _texts(files: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(content).decode() for content in files]
