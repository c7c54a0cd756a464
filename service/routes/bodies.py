"""The one place that turns a native request's body, in any of its forms, into inputs for a predictor."""

import io
from typing import Any, BinaryIO

import numpy as np
import orjson
from flask import Request

from service.base64images import read_base64
from service.errors import InvalidArray, InvalidRequest, UnsupportedType
from service.inputs import EncodedImage, EncodedImages, Inputs, PixelArray
from service.limits import Limits
from service.npy import MAGIC, read_npy

ACCEPTED = "an image (PNG, JPEG, WebP, BMP, GIF, TIFF), multipart/form-data, application/json or application/x-npy"
UNSPOKEN = ("", "application/octet-stream", "application/x-www-form-urlencoded")  # the last is curl's default
MEMBERS = ("image", "images", "instances")


class BodyRequest(Request):
    """Flask's request, with uploaded files in memory: the body's limit bounds them, and the disk may be read-only."""

    def _get_file_stream(self, *_args: Any, **_kwargs: Any) -> BinaryIO:
        return io.BytesIO()


def read_inputs(request: Request, limits: Limits) -> Inputs:
    """Read the body by its Content-Type, or by its first bytes where that says nothing.

    Raises InvalidRequest, InvalidImage, InvalidArray, TooLarge or UnsupportedType.
    """
    if request.content_encoding not in (None, "identity"):
        raise UnsupportedType(f"send the body as it is, without Content-Encoding: {request.content_encoding}")
    kind = request.mimetype
    if kind == "multipart/form-data":
        return _read_form(request)
    content = request.get_data(cache=False, parse_form_data=False)
    if not content:
        raise InvalidRequest(f"the body is empty: send {ACCEPTED}")
    if kind in UNSPOKEN:
        kind = _sniff(content)
    if kind == "application/json":
        return _read_json(content, limits)
    if kind == "application/x-npy":
        return PixelArray(read_npy(content))
    if not kind.startswith("image/"):
        raise UnsupportedType(f"cannot read {kind}: send {ACCEPTED}")
    return EncodedImages((EncodedImage(content, "the image"),))


def _sniff(content: bytes) -> str:
    if content.startswith(MAGIC):
        return "application/x-npy"
    return "application/json" if content[:64].lstrip().startswith((b"{", b"[")) else "image/*"


def _read_form(request: Request) -> Inputs:
    files = request.files.items(multi=True)
    images = [EncodedImage(file.read(), f"image {n} ({file.filename})") for n, (_, file) in enumerate(files, start=1)]
    if not images:
        raise InvalidRequest("the form has no file: send one or more, as curl -F file=@digit.png does")
    return EncodedImages(tuple(images))


def _read_json(content: bytes, limits: Limits) -> Inputs:
    member, value = _the_member(_parse(content))
    if member == "image":
        return EncodedImages((read_base64(value, "image"),))
    if member == "instances":
        return PixelArray(_to_array(value))
    if not isinstance(value, list) or not value:
        raise InvalidRequest('"images" must be an array of base64 texts that is not empty')
    limits.check_count(len(value))  # before millions of empty texts become millions of images
    return EncodedImages(tuple(read_base64(text, f"image {number}") for number, text in enumerate(value, start=1)))


def _parse(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not valid JSON (NaN and Infinity are not JSON either): {error}") from error


def _the_member(document: Any) -> tuple[str, Any]:
    members = [name for name in MEMBERS if isinstance(document, dict) and name in document]
    if len(members) != 1:
        raise InvalidRequest('the JSON must be an object with exactly one of "image", "images" and "instances"')
    return members[0], document[members[0]]


def _to_array(value: Any) -> np.ndarray[Any, Any]:
    """The array of nested lists; its dtype is given, for texts would make one as wide as the longest of them."""
    leaf = value
    while isinstance(leaf, list) and leaf:
        leaf = leaf[0]
    if isinstance(leaf, str | bool):
        raise InvalidArray(f"pixels must be numbers from 0 to 255, not {leaf!r:.40}")
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidArray('"instances" must be nested arrays of equal lengths, [N,height,width,channels]') from error
