"""Valid requests: every route of the service, and every form of body of its four protocols."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from preprocessing.png import encode_png
from tests.support.bundles.tiny_batches import batch, batch_files
from tests.support.images.drawn import as_npy, tiny_image
from tests.support.images.unusual_files import (
    FORMATS,
    animated_gif,
    file_of,
    gradient,
    oriented_jpeg,
    palette_png,
    photograph,
)

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "deflate": zlib.compress,
}
HEADER_LENGTH = "Inference-Header-Content-Length"
HOST = ("Host", "test")
MANY = 40  # images whose probabilities are more than 1 KiB, so that the response is worth compressing
BROKEN_VERSION = 3  # a version of mnist that the service has tried and does not serve

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """A request before it becomes bytes. Its body is `json` and, behind that, `tail`."""

    method: str
    path: str  # as it is sent: with percent-escapes, a character a byte
    query: str = ""
    headers: Fields = (HOST,)
    json: bytes = b""
    tail: bytes = b""
    announced: bool = False  # whether a header says where the JSON ends
    chunked: bool = False  # whether the body is sent without saying its length before
    status: int = 200  # of the answer to the request as it is here

    @property
    def body(self) -> bytes:
        """All bytes behind the head, before they are cut into chunks."""
        return self.json + self.tail

    def with_header(self, name: str, *values: str) -> "Request":
        """The same request with this header once for each value, and no other of its name."""
        others = tuple(field for field in self.headers if field[0] != name)
        return replace(self, headers=(*others, *((name, value) for value in values)))

    def without_json(self) -> "Request":
        """The same bytes, all of them in `tail`, with the JSON's length in an ordinary header."""
        said = self.with_header(HEADER_LENGTH, str(len(self.json))) if self.announced else self
        return replace(said, json=b"", tail=self.body, announced=False)

    def compressed(self, coding: str) -> "Request":
        """The same request with its body in `gzip` or `deflate`."""
        plain = self.without_json().with_header("Content-Encoding", coding)
        return replace(plain, tail=COMPRESS[coding](plain.tail))

    def head(self, length: str) -> bytes:
        """The request line and the headers, with this Content-Length where the body is not chunked."""
        fields = list(self.headers)
        if self.announced:
            fields.append((HEADER_LENGTH, str(len(self.json))))
        if self.chunked:
            fields.append(("Transfer-Encoding", "chunked"))
        elif self.body or self.method == "POST":
            fields.append(("Content-Length", length))
        target = f"{self.path}?{self.query}" if self.query else self.path
        lines = [f"{self.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def to_bytes(self) -> bytes:
        """All bytes of the request."""
        return self.head(str(len(self.body))) + (chunks(self.body) if self.chunked else self.body)


def chunks(body: bytes, size: int = 1000) -> bytes:
    """A body in HTTP's chunked coding (RFC 9112, 7.1)."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])


def corpus() -> tuple[Request, ...]:
    """All valid requests, in a fixed order."""
    return (*_reading(), *_native(), *_v1(), *_v2())


def post(path: str, document: Any = None, tail: bytes = b"", kind: str = "", **details: Any) -> Request:
    """POST a JSON document, or none, with bytes behind it; `kind` becomes the Content-Type."""
    content = b"" if document is None else json.dumps(document).encode()
    request = Request("POST", path, json=content, tail=tail, **details)
    return request.with_header("Content-Type", kind) if kind else request


def base64_of(content: bytes) -> str:
    """Bytes as base64 for JSON."""
    return base64.b64encode(content).decode()


# What is only looked at

PATHS = (
    "/",
    "/docs",
    "/openapi.json",
    "/pages/style.css",
    "/livez",
    "/readyz",
    "/healthz",
    "/metrics",
    "/monitoring/prometheus/metrics",
    "/ping",
    "/models",
    "/models/mnist",
    "/models/mnist/versions/1",
    "/summary",
    "/models/colour/summary",
    "/models/mnist/versions/1/summary",
    "/v1/models",
    "/v1/models/mnist",
    "/v1/models/mnist/versions/1",
    "/v1/models/mnist/metadata",
    "/v1/models/mnist/versions/1/metadata",
    "/v2",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models",
    "/v2/models/stats",
    *(f"/v2/models/mnist{version}{what}" for version in ("", "/versions/1") for what in ("", "/ready", "/config")),
    "/v2/models/mnist/stats",
    "/v2/models/mnist/versions/1/stats",
    *(f"/v2/{kind}sharedmemory{place}/status" for kind in ("system", "cuda") for place in ("", "/region/mine")),
)


def _reading() -> Iterator[Request]:
    for path in PATHS:
        yield Request("GET", path)
    yield Request("GET", "/summary", "format=text&model=mnist&version=1")
    yield Request("GET", "/summary").with_header("Accept", "text/plain")
    yield Request("GET", "/").with_header("Accept", "text/html,*/*;q=0.8")
    yield Request("HEAD", "/models")
    yield Request("OPTIONS", "/predict")
    yield Request("GET", "/docs", status=304).with_header("If-None-Match", "*")
    yield Request("GET", f"/v1/models/mnist/versions/{BROKEN_VERSION}")
    yield Request("GET", f"/v2/models/mnist/versions/{BROKEN_VERSION}/ready", status=503)
    yield Request("GET", "/v1/models/mnist/labels/stable", status=400)
    yield Request("GET", "/v1/models/mnist/labels/stable/metadata", status=400)


# The native protocol

KINDS = {
    "gray PNG": encode_png(tiny_image(1)),
    "palette": palette_png(gradient(), transparency=3),
    "16 bits": file_of(gradient().astype(np.uint16) * 257),
    "transparent": file_of(np.dstack([photograph(12, 9), gradient(12, 9)])),
    "turned": oriented_jpeg(photograph(), 6),
    "animated": animated_gif(gradient(), gradient()[::-1].copy()),
    **{f"photograph in {kind}": file_of(photograph(24, 32), kind) for kind in FORMATS},
}


def _native() -> Iterator[Request]:
    for content in KINDS.values():
        yield post("/predict", tail=content, kind="image/png")
        yield post("/models/written/predict", tail=content)
    png = KINDS["gray PNG"]
    yield post("/models/colour/versions/1/predict", tail=png, kind="image/png", query="top_k=2")
    yield post("/predict", tail=png, kind="application/octet-stream", query="model=mnist&version=1&top_k=3")
    yield post("/predict", tail=png, chunked=True)
    yield post("/predict", tail=png).compressed("gzip")
    yield post("/predict", tail=form(*batch_files(3)), kind="multipart/form-data; boundary=b")
    yield post("/models/mnist/predict", {"image": base64_of(png)}, kind="application/json")
    yield post("/models/mnist/predict", {"image": f"data:image/png;base64,{base64_of(png)}"}, kind="application/json")
    yield post("/predict", {"images": [base64_of(content) for content in batch_files(3)]}, kind="application/json")
    for values in (batch(2), batch(2)[..., 0], batch(2) / 1.0):
        yield post("/predict", {"instances": values.tolist()}, kind="application/json")
        yield post("/predict", tail=as_npy(values), kind="application/x-npy")
    yield post("/predict", {"instances": batch(MANY).tolist()}).compressed("deflate")
    yield post("/predict", tail=as_npy(np.asfortranarray(batch(3))))
    for method in ("POST", "PUT"):
        for path in ("/predictions/mnist", "/predictions/mnist/1"):
            yield replace(post(path, tail=png), method=method)
    yield from _native_texts(base64_of(png))


def _native_texts(text: str) -> Iterator[Request]:
    """An image and parameters in fields of forms, and the image's base64 without anything around it."""
    fields = {"image": text, "model": "mnist", "version": "1", "top_k": "2"}
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    yield post("/predict", tail=f"{parts}--b--\r\n".encode(), kind="multipart/form-data; boundary=b")
    yield post("/predict", tail=urlencode(fields).encode(), kind="application/x-www-form-urlencoded")
    yield post("/predict", tail=text.encode(), kind="text/plain")
    yield post("/predict", {**fields, "version": 1, "top_k": 2}, kind="application/json")
    yield post("/predict", text)
    yield post("/predict", [text, text], chunked=True)
    yield post("/predict", batch(2).tolist())


def form(*contents: bytes) -> bytes:
    """A multipart body with the boundary `b`."""
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    return b"".join(head + content + b"\r\n" for content in contents) + b"--b--\r\n"


# TensorFlow Serving and KServe v1


def _v1() -> Iterator[Request]:
    pixels, encoded = batch(3).tolist(), [{"b64": base64_of(content)} for content in batch_files(3)]
    for values in (pixels, encoded):
        yield post("/v1/models/mnist:predict", {"instances": values})
        yield post("/v1/models/mnist:predict", {"inputs": values, "signature_name": "serving_default"})
        yield post("/v1/models/mnist/versions/1:predict", {"instances": [{"image": value} for value in values]})
        yield post("/v1/models/mnist:predict", {"inputs": {"image": values}}, chunked=True)
        yield post("/v1/models/mnist:classify", {"examples": [{"image": value} for value in values]})
    examples = [{"image": batch(1).reshape(-1).tolist()}, {}]
    context = {"image_bytes": [{"b64": base64_of(batch_files(1)[0])}]}
    yield post("/v1/models/mnist/versions/1:classify", {"examples": [{}], "context": context})
    yield post("/v1/models/mnist:classify", {"examples": examples, "context": {"image": pixels[0]}})
    yield post("/v1/models/colour:predict", {"instances": [tiny_image(1, channels=3).tolist()]})
    yield post("/v1/models/written:predict", {"instances": [{"image_bytes": value} for value in encoded]})
    for coding in COMPRESS:
        yield post("/v1/models/mnist:predict", {"instances": batch(MANY).tolist()}).compressed(coding)
    for place in ("", "/versions/1", "/labels/stable"):
        yield post(f"/v1/models/mnist{place}:regress", {"examples": [{}]}, status=400)
    yield post("/v1/models/mnist/labels/stable:predict", {"instances": pixels}, status=400)
    yield post("/v1/models/mnist/labels/stable:classify", {"examples": [{"image": pixels[0]}]}, status=400)


# The Open Inference Protocol

INFER = "/v2/models/mnist/infer"
NUMBERS = {
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP32": "<f4",
    "FP64": "<f8",
}


def _v2() -> Iterator[Request]:
    yield from _json_tensors()
    yield from _binary_tensors()
    yield from _chosen_outputs()
    yield from _compressed_tensors()
    yield from _repository()


def tensor(datatype: str, shape: list[int], **members: Any) -> dict[str, Any]:
    """The model's one input."""
    return {"name": "image", "shape": shape, "datatype": datatype, **members}


def _json_tensors() -> Iterator[Request]:
    for datatype in NUMBERS:
        yield post(INFER, {"inputs": [tensor(datatype, [2, 8, 8, 1], data=batch(2).reshape(-1).tolist())]})
    encoded = [base64_of(content) for content in batch_files(2)]
    yield post(INFER, {"inputs": [tensor("BYTES", [2], data=encoded)]}, kind="application/json")
    yield post(INFER, {"inputs": [tensor("BYTES", [2, 1], data=[[text] for text in encoded])]}, chunked=True)
    document = {"inputs": [tensor("UINT8", [1, 8, 8], data=batch(1)[..., 0].tolist())]}
    parameters = {"priority": 1, "timeout": 5_000_000, "who": "me", "sequence_start": True}
    yield post("/v2/models/mnist/versions/1/infer", {"id": "42", "parameters": parameters, **document})
    yield post("/v2/models/colour/infer", {"inputs": [tensor("UINT8", [1, 8, 8, 3], data=[7] * 192)]})


def _binary_tensors() -> Iterator[Request]:
    for datatype, kind in {**NUMBERS, "FP16": "<f2"}.items():
        yield binary(datatype, batch(2).astype(kind))
    yield binary("BF16", (batch(2).astype("<f4").view("<u4") >> 16).astype("<u2"))
    yield binary("INT8", (batch(2) // 255 * 127).astype("i1"), chunked=True)
    for content in (batch(1).tobytes(), *KINDS.values()):
        yield post(INFER, tail=content, announced=True)  # a body without JSON
    elements = b"".join(len(content).to_bytes(4, "little") + content for content in batch_files(2))
    document = {"inputs": [tensor("BYTES", [2], parameters={"binary_data_size": len(elements)})]}
    yield post(INFER, document, elements, announced=True)
    yield post("/v2/models/written/infer", document, elements, announced=True)


def binary(datatype: str, values: NDArray[Any], path: str = INFER, **details: Any) -> Request:
    """A tensor behind the JSON; the response has its tensors behind the JSON too."""
    content, members = values.tobytes(), details.pop("members", {"parameters": {"binary_data_output": True}})
    described = tensor(datatype, list(values.shape), parameters={"binary_data_size": len(content)})
    return post(path, {**members, "inputs": [described]}, content, announced=True, **details)


def _chosen_outputs() -> Iterator[Request]:
    for parameters in (
        {"binary_data": True},
        {"binary_data": False},
        {"classification": 2},
        {"classification": 5, "binary_data": True},
    ):
        yield binary("UINT8", batch(3), members={"outputs": [{"name": "probabilities", "parameters": parameters}]})


def _compressed_tensors() -> Iterator[Request]:
    document = {"inputs": [tensor("UINT8", [2, 8, 8, 1], data=batch(2).reshape(-1).tolist())]}
    for coding in COMPRESS:
        yield post(INFER, document).compressed(coding)
        yield binary("UINT8", batch(MANY)).compressed(coding)
        yield binary("UINT8", batch(MANY)).with_header("Accept-Encoding", coding)
        yield binary("UINT8", batch(MANY), members={}).with_header("Accept-Encoding", coding)


def _repository() -> Iterator[Request]:
    yield post("/v2/repository/index")
    yield post("/v2/repository/index", {"ready": True})
    yield post("/v2/repository/index", {}).compressed("gzip")
    yield post("/v2/repository/models/mnist/load", {"parameters": {"config": "{}"}}, status=503)
    yield post("/v2/repository/models/mnist/unload", {"parameters": {"unload_dependents": False}}, status=503)
    yield post("/v2/repository/mine/index", status=501)
    yield post("/v2/repository/mine/models/mnist/load", {}, status=501)
    yield post("/v2/repository/mine/models/mnist/unload", {}, status=501)
    for memory in ("/v2/systemsharedmemory", "/v2/cudasharedmemory"):
        yield post(f"{memory}/unregister")
        yield post(f"{memory}/region/mine/unregister", {})
        yield post(f"{memory}/region/mine/register", {"key": "/mine", "offset": 0, "byte_size": 64}, status=400)
