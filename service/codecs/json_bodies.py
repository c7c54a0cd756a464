"""JSON from clients (RFC 8259): parsing within limits, pixels as nested lists, image files as base64 text."""

import base64
import binascii
import gc
import mmap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from service.codecs.inputs import EncodedImage, EncodedImages, Inputs, PixelArray
from service.codecs.limits import (
    MANY_JSON_BYTES,
    MAX_JSON_NODES,
    MAX_JSON_NUMBERS,
    MIN_JSON_NODES,
    MIN_JSON_NUMBERS,
    Limits,
)
from service.errors import InvalidArray, InvalidImage, InvalidRequest, RaggedArray, TooLarge

NOT_NUMBERS = (b'"', b"u", b"s")  # one of them is in every text, in true and null, and in false; in no number
IMAGE_MEMBERS = ("image", "images", "instances")  # of the native document, which has exactly one of them
PARSER_BYTES, NODE_BYTES, NUMBER_BYTES = 12, 200, 40  # at most, of each byte, of a list, object or text, of a number
_SPACES = " \r\n\t"
_WHITESPACE = {ord(space): None for space in _SPACES}  # MIME encoders break their lines


def read_json_inputs(content: bytes, limits: Limits, pixels: int = MAX_JSON_NUMBERS) -> Inputs:
    """The inputs in a native JSON body: `{"image": base64}`, `{"images": [base64, …]}` or `{"instances": pixels}`.

    `pixels` are the numbers that one image has for the model. Raises InvalidRequest, InvalidImage, InvalidArray or
    TooLarge.
    """
    member, value = _image_member(parse_json(content, limits.max_images * pixels))
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


def parse_json(content: bytes, numbers: int = MAX_JSON_NUMBERS) -> Any:
    """The value; raises InvalidRequest, also for NaN, Infinity and nesting deeper than 1,024, or TooLarge.

    Lists, objects, texts and numbers are counted before they are made. `numbers` are the most that the model takes.
    Raises MemoryError where there is no room for them.
    """
    is_long = len(content) > MANY_JSON_BYTES
    if is_long:
        most_nodes = min(MAX_JSON_NODES, max(MIN_JSON_NODES, numbers + numbers // 4))
        _check_size(content, most_nodes, min(MAX_JSON_NUMBERS, max(MIN_JSON_NUMBERS, 2 * numbers)))
    if not content.strip():
        raise InvalidRequest("the body is empty, and should be JSON")
    try:
        with _collector_at_rest() if is_long else nullcontext():
            return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith("Not enough memory"):
            raise MemoryError from error
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
    if not text.isascii():
        raise InvalidImage(f"{name} is not valid base64: encode the image file's bytes (RFC 4648)")
    payload = _payload(text, name)
    if any(space in payload for space in _SPACES):
        payload = payload.translate(_WHITESPACE)
    try:
        return EncodedImage(base64.b64decode(payload, validate=True), name)
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


def _check_size(content: bytes, most_nodes: int, most_numbers: int) -> None:
    """Count single characters, also those inside texts, so that there is never more than is counted."""
    nodes, commas = content.count(b"[") + content.count(b"{") + content.count(b'"') // 2, content.count(b",")
    if nodes > most_nodes:
        sentence = f"the JSON has more than {most_nodes} lists, objects and texts: send fewer or smaller images"
        raise TooLarge(sentence)
    if commas > most_numbers:
        sentence = f"the JSON has more than {most_numbers} numbers, far more than this model takes"
        raise TooLarge(f"{sentence}: send fewer or smaller ones, or image files")

    _reserve(PARSER_BYTES * len(content) + NODE_BYTES * nodes + NUMBER_BYTES * commas)


def _reserve(size: int) -> None:
    """Raise MemoryError where the system would not give so many bytes: orjson ends the process where it gets none."""
    try:
        mmap.mmap(-1, size).close()
    except OSError as error:
        raise MemoryError(f"no room for {size} bytes") from error


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _payload(text: str, name: str) -> str:
    if not text.startswith("data:"):
        return text
    head, comma, payload = text.partition(",")
    if not comma or not head.endswith(";base64"):
        raise InvalidImage(f"{name} is a data URL without base64: write data:image/png;base64,…")
    return payload
