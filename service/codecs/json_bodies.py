"""JSON from clients (RFC 8259): parsing within limits, pixels as nested lists, image files as base64 text."""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from service.codecs.inputs import EncodedImage, EncodedImages, Inputs, PixelArray
from service.codecs.limits import MAX_JSON_NODES, Limits
from service.errors import InvalidArray, InvalidImage, InvalidRequest, RaggedArray, TooLarge

NOT_NUMBERS = (b'"', b"u", b"s")  # one of them is in every text, in true and null, and in false; in no number
IMAGE_MEMBERS = ("image", "images", "instances")  # of the native document, which has exactly one of them
_WHITESPACE = {ord(space): None for space in " \r\n\t"}  # MIME encoders break their lines


def read_json_inputs(content: bytes, limits: Limits) -> Inputs:
    """The inputs in a native JSON body: `{"image": base64}`, `{"images": [base64, …]}` or `{"instances": pixels}`.

    Raises InvalidRequest, InvalidImage, InvalidArray or TooLarge.
    """
    member, value = _image_member(parse_json(content))
    if member == "image":
        return EncodedImages((read_base64(value, "image"),))
    if member == "instances":
        return PixelArray(read_nested(value, '"instances"'))
    if not isinstance(value, list) or not value:
        raise InvalidRequest('"images" must be an array of base64 texts that is not empty')
    limits.check_count(len(value))  # before millions of empty texts become millions of images
    return read_base64_images(value)


def looks_like_json(content: bytes) -> bool:
    """Whether the first bytes are those of a JSON object or array."""
    return content[:64].lstrip().startswith((b"{", b"["))


def parse_json(content: bytes) -> Any:
    """The value; raises InvalidRequest, also for NaN, Infinity and nesting deeper than 1,024, or TooLarge.

    Lists, objects and texts are counted before they are made.
    """
    if len(content) > MAX_JSON_NODES and _count_nodes(content) > MAX_JSON_NODES:
        sentence = f"the JSON has more than {MAX_JSON_NODES} lists, objects and texts: send fewer or smaller images"
        raise TooLarge(sentence)
    if not content.strip():
        raise InvalidRequest("the body is empty, and should be JSON")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not valid JSON (NaN and Infinity are not JSON either): {error}") from error


def read_nested(value: Any, name: str, form: str = "[N,height,width,channels]") -> NDArray[np.float64]:
    """The array that nested lists hold, float64; raises RaggedArray, or InvalidArray where they hold no numbers.

    `name` and `form` are what an error message calls the value and the shape that it should have.

    NumPy would take "5" for 5 and true for 1, and looking at each value from Python costs more than the rest. So the
    value is written as JSON once more, in which a search for a few bytes shows whether all values are numbers.
    """
    try:
        text = orjson.dumps(value)
        if any(mark in text for mark in NOT_NUMBERS):
            raise InvalidArray(f"{name} must hold nothing but numbers from 0 to 255, the pixels")
        return np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise RaggedArray(f"{name} must be nested arrays of equal lengths, {form}") from error


def read_base64(text: object, name: str) -> EncodedImage:
    """The image file in a JSON text, base64 or a data URL (RFC 2397); raises InvalidImage."""
    if not isinstance(text, str):
        raise InvalidImage(f"{name} must be a text of base64 or a data URL")
    try:
        return EncodedImage(base64.b64decode(_payload(text, name).translate(_WHITESPACE), validate=True), name)
    except (binascii.Error, ValueError) as error:
        raise InvalidImage(f"{name} is not valid base64: encode the image file's bytes (RFC 4648)") from error


def read_base64_images(texts: Iterable[object]) -> EncodedImages:
    """The image files in JSON texts, called image 1, image 2 …; raises InvalidImage."""
    return EncodedImages(tuple(read_base64(text, f"image {number}") for number, text in enumerate(texts, start=1)))


def _image_member(document: Any) -> tuple[str, Any]:
    members = [name for name in IMAGE_MEMBERS if isinstance(document, dict) and name in document]
    if len(members) != 1:
        raise InvalidRequest('the JSON must be an object with exactly one of "image", "images" and "instances"')
    return members[0], document[members[0]]


def _count_nodes(content: bytes) -> int:
    """Lists, objects and texts, at most: brackets inside texts count as well."""
    return content.count(b"[") + content.count(b"{") + content.count(b'"') // 2


def _payload(text: str, name: str) -> str:
    if not text.startswith("data:"):
        return text
    head, comma, payload = text.partition(",")
    if not comma or not head.endswith(";base64"):
        raise InvalidImage(f"{name} is a data URL without base64: write data:image/png;base64,…")
    return payload
