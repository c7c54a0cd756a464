"""The same images in every protocol and encoding that the service accepts, as real clients write them.

All JSON is without spaces. Tensors of v2 go as Triton's client sends them: JSON data flat, binary data with binary
responses (kserve/open-inference-protocol, and Triton's binary tensor extension).
"""

import base64
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from bench.clients.http_client import Request
from bench.clients.images import Pixels, write_npy

BOUNDARY = "5d9cf1f1e7a14fd0a5f4b5bb8b6f1c2e"  # as long as those of usual clients
BYTES_LENGTH = struct.Struct("<I")  # the length before each BYTES element
JSON, NPY, BINARY = "application/json", "application/x-npy", "application/octet-stream"


@dataclass(frozen=True)
class Sample:
    """An image file and its pixels: uint8 [height, width, channels]."""

    content: bytes
    pixels: Pixels


Encode = Callable[[Sequence[Sample]], Request]


def list_encodings(model: str, tensor: str, content_type: str) -> dict[str, Encode]:
    """Each encoding by its name; `tensor` is the model's input, `content_type` that of the image files."""
    native = Native(f"/models/{model}/predict", content_type)
    v2 = V2(f"/v2/models/{model}/infer", tensor)
    v1 = V1(f"/v1/models/{model}:predict")
    return {
        "native image files": native.files,
        "native .npy": native.npy,
        "native JSON": native.instances,
        "v2 BYTES of files": v2.files,
        "v2 UINT8": v2.uint8,
        "v2 FP32": v2.fp32,
        "v2 JSON": v2.json,
        "v1 b64": v1.files,
        "v1 instances": v1.instances,
    }


@dataclass(frozen=True)
class Native:
    """The service's own protocol."""

    path: str
    content_type: str

    def files(self, samples: Sequence[Sample]) -> Request:
        """One file as the body, several as a multipart form."""
        if len(samples) == 1:
            return Request(self.path, self.content_type, samples[0].content)
        body = _multipart_form([sample.content for sample in samples], self.content_type)
        return Request(self.path, f"multipart/form-data; boundary={BOUNDARY}", body)

    def npy(self, samples: Sequence[Sample]) -> Request:
        """One array."""
        return Request(self.path, NPY, write_npy(_stack(samples)))

    def instances(self, samples: Sequence[Sample]) -> Request:
        """Nested lists of pixels."""
        return Request(self.path, JSON, orjson.dumps({"instances": _stack(samples).tolist()}))


@dataclass(frozen=True)
class V2:
    """The Open Inference Protocol."""

    path: str
    tensor: str

    def files(self, samples: Sequence[Sample]) -> Request:
        """BYTES, binary: each image file behind its length."""
        elements = [BYTES_LENGTH.pack(len(sample.content)) + sample.content for sample in samples]
        return self._binary("BYTES", (len(samples),), b"".join(elements))

    def uint8(self, samples: Sequence[Sample]) -> Request:
        """Pixels, binary, a byte each."""
        return self._array("UINT8", _stack(samples))

    def fp32(self, samples: Sequence[Sample]) -> Request:
        """Pixels, binary, four bytes each."""
        return self._array("FP32", _stack(samples).astype("<f4"))

    def json(self, samples: Sequence[Sample]) -> Request:
        """Pixels as JSON, with a JSON response."""
        array = _stack(samples)
        tensor = {**self._describe("UINT8", array.shape), "data": array.ravel().tolist()}
        return Request(self.path, JSON, orjson.dumps({"inputs": [tensor]}))

    def _array(self, datatype: str, array: NDArray[Any]) -> Request:
        return self._binary(datatype, array.shape, array.tobytes())

    def _binary(self, datatype: str, shape: tuple[int, ...], blob: bytes) -> Request:
        tensor = {**self._describe(datatype, shape), "parameters": {"binary_data_size": len(blob)}}
        head = orjson.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}})
        return Request(self.path, BINARY, head + blob, (("Inference-Header-Content-Length", str(len(head))),))

    def _describe(self, datatype: str, shape: tuple[int, ...]) -> dict[str, Any]:
        return {"name": self.tensor, "shape": shape, "datatype": datatype}


@dataclass(frozen=True)
class V1:
    """TensorFlow Serving's REST API."""

    path: str

    def files(self, samples: Sequence[Sample]) -> Request:
        """Image files in base64."""
        return self._rows([{"b64": base64.b64encode(sample.content).decode()} for sample in samples])

    def instances(self, samples: Sequence[Sample]) -> Request:
        """Nested lists of pixels."""
        return self._rows(_stack(samples).tolist())

    def _rows(self, rows: list[Any]) -> Request:
        return Request(self.path, JSON, orjson.dumps({"instances": rows}))


def _stack(samples: Sequence[Sample]) -> Pixels:
    return np.stack([sample.pixels for sample in samples])


def _multipart_form(contents: Sequence[bytes], content_type: str) -> bytes:
    """A multipart form with one file a field (RFC 7578)."""
    parts = []
    for number, content in enumerate(contents):
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{number}"\r\n'
        parts.append(f"{head}Content-Type: {content_type}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
