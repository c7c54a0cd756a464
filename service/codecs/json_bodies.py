"""JSON text from strangers (RFC 8259).

Pixels as nested lists of JSON numbers.

Pictures inside JSON: base64 text or a data URL (RFC 2397).
"""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from service.codecs.inputs import EncodedImage, EncodedImages
from service.errors import InvalidArray, InvalidImage, InvalidRequest, RaggedArray, TooLarge

MAX_NODES = 1_500_000  # lists, objects and texts: 23 photographs of 224 × 224 as lists have 1.2 million


def parse_json(content: bytes) -> Any:
    """The value; raises InvalidRequest, also for NaN, Infinity and nesting deeper than 1,024, or TooLarge.

    Every list takes many times the memory of its text, so they are counted before they are made.
    """
    if len(content) > MAX_NODES and _count_nodes(content) > MAX_NODES:
        raise TooLarge(f"the JSON has more than {MAX_NODES} lists, objects and texts: send fewer or smaller images")
    if not content.strip():
        raise InvalidRequest("the body is empty, and should be JSON")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not valid JSON (NaN and Infinity are not JSON either): {error}") from error


def _count_nodes(content: bytes) -> int:
    return content.count(b"[") + content.count(b"{") + content.count(b'"') // 2


FOREIGN = (b'"', b"u", b"s")  # what shows texts, true and null, and false: no number has one of them


def read_nested(value: Any, name: str, form: str = "[N,height,width,channels]") -> NDArray[np.float64]:
    """The array that nested lists hold, float64; raises RaggedArray, or InvalidArray where they hold no numbers.

    `name` and `form` are what an error message calls the value and the shape that it should have.

    NumPy would take "5" for 5 and true for 1, and looking at each value from Python costs more than the rest; so the
    value is written as JSON once more, which shows at a glance what is in it.
    """
    try:
        text = orjson.dumps(value)
        if any(mark in text for mark in FOREIGN):
            raise InvalidArray(f"{name} must hold nothing but numbers from 0 to 255, the pixels")
        return np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise RaggedArray(f"{name} must be nested arrays of equal lengths, {form}") from error


def read_base64(text: object, name: str) -> EncodedImage:
    """The picture that a JSON string holds; raises InvalidImage, which says what was expected."""
    if not isinstance(text, str):
        raise InvalidImage(f"{name} must be a text of base64 or a data URL")
    try:
        return EncodedImage(base64.b64decode(_payload(text, name).translate(_NO_SPACE), validate=True), name)
    except (binascii.Error, ValueError) as error:
        raise InvalidImage(f"{name} is not valid base64: encode the image file's bytes (RFC 4648)") from error


def read_base64_images(texts: Iterable[object]) -> EncodedImages:
    """The pictures that JSON strings hold, called image 1, image 2 …; raises the same."""
    return EncodedImages(tuple(read_base64(text, f"image {number}") for number, text in enumerate(texts, start=1)))


_NO_SPACE = {ord(space): None for space in " \r\n\t"}  # MIME encoders break their lines


def _payload(text: str, name: str) -> str:
    if not text.startswith("data:"):
        return text
    head, comma, payload = text.partition(",")
    if not comma or not head.endswith(";base64"):
        raise InvalidImage(f"{name} is a data URL without base64: write data:image/png;base64,…")
    return payload
