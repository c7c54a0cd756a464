"""JSON from clients (RFC 8259): parsing within limits, the native document, pixels as nested lists."""

import gc
import mmap
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from service.codecs.base64_images import read_base64, read_base64_images
from service.codecs.inputs import EncodedImages, Inputs, PixelArray
from service.codecs.limits import (
    MANY_JSON_BYTES,
    MAX_JSON_NODES,
    MAX_JSON_NUMBERS,
    MIN_JSON_NODES,
    MIN_JSON_NUMBERS,
    Limits,
)
from service.codecs.parameters import PARAMETERS, Parameters, check_names
from service.errors import InvalidArray, InvalidRequest, RaggedArray, TooLarge, public_text

NOT_NUMBERS = (b'"', b"u", b"s")  # one of them is in every text, in true and null, and in false; in no number
IMAGE_MEMBERS = ("image", "images", "instances")  # of the native document, which has exactly one of them
PARSER_BYTES, NODE_BYTES, NUMBER_BYTES = 12, 200, 40  # at most, of each byte, of a list, object or text, of a number
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # of UTF-8, which RFC 8259 lets a recipient ignore
_MARKS_16, _MARKS_32 = (b"\xff\xfe", b"\xfe\xff"), (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_FILES = 'send files as {"images": ["<base64>", …]}'
_IN_OBJECT = 'the JSON must be an object with exactly one of "image", "images" and "instances"'


def read_json_inputs(content: bytes, limits: Limits, pixels: int, parameters: Parameters) -> Inputs:
    """The inputs in a native JSON body: `{"image": base64}`, `{"images": [base64, …]}` or `{"instances": pixels}`.

    The values alone are read as well. `pixels` are the numbers that one image has for the model; `parameters` gets
    those in the document. Raises InvalidRequest, InvalidImage, InvalidArray or TooLarge.
    """
    document = parse_json(content, limits.max_images * pixels)
    member, value = _image_member(document, parameters) if isinstance(document, dict) else _bare_value(document)
    if member == "image":
        return EncodedImages((read_base64(value, "image"),))
    if member == "instances":
        if isinstance(value, list) and value and isinstance(value[0], str | dict):
            raise InvalidArray(f'"instances" must hold nothing but numbers, the pixels: {_FILES}')
        return PixelArray(read_nested(value, '"instances"'))
    if not isinstance(value, list) or not value:
        raise InvalidRequest('"images" must be an array of base64 texts that is not empty')
    limits.check_count(len(value))  # before millions of empty texts become millions of images
    return read_base64_images(value)


def looks_like_json(content: bytes) -> bool:
    """Whether the first bytes are those of a JSON object, array or text, in whatever encoding."""
    start = content[:64].removeprefix(_BYTE_ORDER_MARK).lstrip()
    return start.startswith((b"{", b"[", b'"')) or _other_encoding(content) is not None


def parse_json(content: bytes, numbers: int = MAX_JSON_NUMBERS) -> Any:
    """The value; raises InvalidRequest, also for NaN, Infinity and nesting deeper than 1,024, or TooLarge.

    Lists, objects, texts and numbers are counted before they are made. `numbers` are the most that the model takes.
    Raises MemoryError where there is no room for them.
    """
    is_long = len(content) > MANY_JSON_BYTES
    if is_long:
        most_nodes = min(MAX_JSON_NODES, max(MIN_JSON_NODES, numbers + numbers // 4))
        _check_size(content, most_nodes, min(MAX_JSON_NUMBERS, max(MIN_JSON_NUMBERS, 2 * numbers)))
    content = content.removeprefix(_BYTE_ORDER_MARK)
    if not content.strip():
        raise InvalidRequest("the body is empty, and should be JSON")
    try:
        with _collector_at_rest() if is_long else nullcontext():
            return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith("Not enough memory"):
            raise MemoryError from error
        raise InvalidRequest(f"the body is not valid JSON{_explain(content, error)}") from error


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


def _image_member(document: dict[str, Any], parameters: Parameters) -> tuple[str, Any]:
    members = [name for name in IMAGE_MEMBERS if name in document]
    if not document:
        raise InvalidRequest(f"{_IN_OBJECT}; yours is {{}}, as JSON.stringify writes a file or form: send that itself")
    check_names(document, (*IMAGE_MEMBERS, *PARAMETERS), "JSON member")
    if len(members) != 1:
        raise InvalidRequest(_IN_OBJECT)
    for name in PARAMETERS:
        parameters.add(name, document.get(name), "the JSON")
    return members[0], document[members[0]]


def _bare_value(value: Any) -> tuple[str, Any]:
    """The member that a text or a list would be the value of, with the value."""
    if isinstance(value, str):
        if value.lstrip()[:1] in ("{", "["):
            raise InvalidRequest("the JSON is a text with JSON in it: encode it once (JSON.stringify, json.dumps)")
        return "image", value
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(first, str):
        return "images", value
    if isinstance(first, list | int | float) and not isinstance(first, bool):
        return "instances", value
    raise InvalidRequest(f"{_IN_OBJECT}: {_FILES}" if isinstance(first, dict) else _IN_OBJECT)


def _explain(content: bytes, error: orjson.JSONDecodeError) -> str:
    """What is no JSON in the content: the mistakes that many make, else the parser's words and place."""
    coding, start = _other_encoding(content), content[:16].lstrip()
    if coding:
        return f": it is {coding}, and JSON is UTF-8 (RFC 8259): encode it so"
    if start.startswith(b"[object"):
        return ": [object …] is what JavaScript writes for an object: use JSON.stringify, or send a file as the body"
    if start.startswith((b"{'", b"['")):
        return ", which has double quotes: write it with json.dumps or JSON.stringify"
    return f" (NaN and Infinity are not JSON either): {public_text(error)}"


def _other_encoding(content: bytes) -> str | None:
    """UTF-16 or UTF-32 where JSON begins so: with a mark, or with zero bytes beside its first character."""
    start = content[:4]
    if start in _MARKS_32:
        return "UTF-32"
    if start.startswith(_MARKS_16):
        return "UTF-16"
    zeros = start.count(0)
    is_json = start.replace(b"\0", b"")[:1] in (b"{", b"[", b'"')
    if not is_json or start[:2].count(0) == 0:
        return None
    return "UTF-32" if zeros == 3 else "UTF-16"


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
