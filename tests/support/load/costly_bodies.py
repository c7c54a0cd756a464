"""Bodies of 16 MB, or what is read of them at most, made to take as much memory and time as each form allows."""

import gzip
import json
import math
from collections.abc import Iterator
from typing import NamedTuple

SIZE = 16 << 20
NUMBER, BIG_NUMBER = b"300", b"123456789.1234"  # Python shares the numbers up to 256; these take 32 bytes each
MOST_NUMBERS, MOST_NODES = 1_000_000, 399_000  # that are read for the published models


class CostlyBody(NamedTuple):
    """A body with its path and headers."""

    name: str
    path: str
    headers: dict[str, str]
    content: bytes


def costly_bodies() -> Iterator[CostlyBody]:
    """All of them; each is made when it is asked for."""
    json_type = {"content_type": "application/json"}
    for name, content in _json_bodies():
        yield CostlyBody(f"JSON, {name}", "/predict", json_type, content)
        yield CostlyBody(
            f"gzip, {name}", "/predict", {**json_type, "content_encoding": "gzip"}, gzip.compress(content, 1)
        )
    for name, head, tail in (
        ("instances", b'{"instances":[[', b"]]}"),
        ("inputs", b'{"inputs":[[', b"]]}"),
    ):
        yield CostlyBody(f"/v1, {name}", "/v1/models/mnist:predict", json_type, _list(head, NUMBER, tail, MOST_NUMBERS))
    context = b"]}," + b'"examples":[' + b",".join([b"{}"] * 256) + b"]}"
    numbers = _list(b'{"context":{"image":[', NUMBER, context, MOST_NUMBERS - 300)
    yield CostlyBody("/v1, one image for all", "/v1/models/mnist:classify", json_type, numbers)
    head = b'{"inputs":[{"name":"image","datatype":"FP64","shape":[1,%d],"data":[' % (MOST_NUMBERS - 10)
    numbers = _list(head, NUMBER, b"]}]}", MOST_NUMBERS - 10)
    yield CostlyBody("/v2, JSON", "/v2/models/mnist/infer", {}, numbers)
    for datatype, width in (("FP64", 8), ("BF16", 2), ("BYTES", 4)):
        yield _binary(datatype, width)
    part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + b"x" * 60_000 + b"\r\n"
    yield CostlyBody("form", "/predict", {"content_type": "multipart/form-data; boundary=b"}, part * 256 + b"--b--\r\n")
    header = b"{'descr': '<f8', 'fortran_order': True, 'shape': (256, 28, 280), }"
    npy = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(math.prod((256, 28, 280, 8)))
    yield CostlyBody(".npy", "/predict", {"content_type": "application/x-npy"}, npy)


def _json_bodies() -> Iterator[tuple[str, bytes]]:
    instances = b'{"instances":['
    yield "numbers without end", _list(instances, NUMBER, b"]}", SIZE // 4 - 20)
    yield "numbers", _list(instances, BIG_NUMBER, b"]}", MOST_NUMBERS)
    yield "lists", _list(instances, b"[300,301]", b"]}", MOST_NODES)
    yield "members", b"{" + b",".join(b'"%x":300' % number for number in range(MOST_NODES)) + b"}"
    yield "objects", _list(instances, b'{"a":300}', b"]}", MOST_NODES // 2)
    yield "a text", b'{"image":"' + b"A" * (SIZE - 20) + b'"}'
    yield "a text that is not ASCII", b'{"image":"' + "😀".encode() + b"A" * (SIZE - 20) + b'"}'


def _list(head: bytes, item: bytes, tail: bytes, count: int) -> bytes:
    return head + b",".join([item] * count) + tail


def _binary(datatype: str, width: int) -> CostlyBody:
    count = (SIZE - 300) // width
    tensor = {
        "name": "image",
        "datatype": datatype,
        "shape": [count],
        "parameters": {"binary_data_size": count * width},
    }
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {"inference_header_content_length": str(len(head))}
    return CostlyBody(f"/v2, {datatype}", "/v2/models/mnist/infer", headers, head + bytes(count * width))
