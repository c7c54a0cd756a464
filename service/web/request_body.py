"""The bytes of a request's body, whatever dialect it is in.

The one place that turns a native request's body, in any of its forms, into inputs for a predictor.
"""

import io
from typing import Any, BinaryIO

from flask import Request

from service.codecs.content_encoding import inflate
from service.codecs.inputs import EncodedImage, EncodedImages, Inputs, PixelArray
from service.codecs.json_bodies import parse_json, read_base64, read_base64_images, read_nested
from service.codecs.limits import Limits
from service.codecs.npy import MAGIC, read_npy
from service.errors import InvalidRequest, UnsupportedEncoding, UnsupportedType


class BodyRequest(Request):
    """Flask's request, with uploaded files in memory: the body's limit bounds them, and the disk may be read-only."""

    def _get_file_stream(self, *_args: Any, **_kwargs: Any) -> BinaryIO:
        return io.BytesIO()


def read_content(request: Request) -> bytes:
    """The body's bytes as they were before the client compressed them, at most the limit of bytes.

    Raises UnsupportedEncoding, InvalidRequest or TooLarge.
    """
    content = request.get_data(cache=False, parse_form_data=False)
    if not is_compressed(request):
        return content
    return inflate(content, (request.content_encoding or "").lower(), request.max_content_length or len(content))


def is_compressed(request: Request) -> bool:
    """Whether the body has a Content-Encoding."""
    return (request.content_encoding or "identity").lower() != "identity"


ACCEPTED = "an image (PNG, JPEG, WebP, BMP, GIF, TIFF), multipart/form-data, application/json or application/x-npy"
UNSPOKEN = ("", "application/octet-stream", "application/x-www-form-urlencoded")  # the last is curl's default
MEMBERS = ("image", "images", "instances")


def read_inputs(request: Request, limits: Limits) -> Inputs:
    """Read the body by its Content-Type, or by its first bytes where that says nothing.

    Raises InvalidRequest, InvalidImage, InvalidArray, TooLarge or UnsupportedType.
    """
    kind = request.mimetype
    if kind == "multipart/form-data":
        return _read_form(request)
    content = read_content(request)
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
    if is_compressed(request):
        raise UnsupportedEncoding(f"send a form as it is, without Content-Encoding: {request.content_encoding}")
    files = request.files.items(multi=True)
    images = [EncodedImage(file.read(), f"image {n} ({file.filename})") for n, (_, file) in enumerate(files, start=1)]
    if not images:
        raise InvalidRequest("the form has no file: send one or more, as curl -F file=@digit.png does")
    return EncodedImages(tuple(images))


def _read_json(content: bytes, limits: Limits) -> Inputs:
    member, value = _the_member(parse_json(content))
    if member == "image":
        return EncodedImages((read_base64(value, "image"),))
    if member == "instances":
        return PixelArray(read_nested(value, '"instances"'))
    if not isinstance(value, list) or not value:
        raise InvalidRequest('"images" must be an array of base64 texts that is not empty')
    limits.check_count(len(value))  # before millions of empty texts become millions of images
    return read_base64_images(value)


def _the_member(document: Any) -> tuple[str, Any]:
    members = [name for name in MEMBERS if isinstance(document, dict) and name in document]
    if len(members) != 1:
        raise InvalidRequest('the JSON must be an object with exactly one of "image", "images" and "instances"')
    return members[0], document[members[0]]
