"""The body of a request: its bytes, and for the native protocol the images or pixels in it.

`READERS` is the table of what a native body may be. A new form is a function in `codecs` and a row here.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from preprocessing.decode import FORMAT_NAMES, is_image
from service.codecs.content_encoding import inflate
from service.codecs.inputs import EncodedImage, EncodedImages, Inputs
from service.codecs.json_bodies import looks_like_json, read_json_inputs
from service.codecs.limits import Limits
from service.codecs.npy import is_npy, read_npy_inputs
from service.errors import InvalidRequest, TooLarge, UnsupportedEncoding, UnsupportedType

FORM = "multipart/form-data"  # not in the table: Werkzeug reads it as it arrives
UNDECLARED = ("", "application/octet-stream", "application/x-www-form-urlencoded")  # the last is curl's default


@dataclass(frozen=True)
class BodyReader:
    """One form of body: its media type, how to recognise it where no media type is declared, and what reads it."""

    media_type: str
    matches: Callable[[bytes], bool]
    read: Callable[[bytes, Limits, int], Inputs]


READERS = (
    BodyReader("application/json", looks_like_json, read_json_inputs),
    BodyReader("application/x-npy", is_npy, read_npy_inputs),
)
ACCEPTED = f"an image ({', '.join(FORMAT_NAMES)}), {FORM}, {' or '.join(each.media_type for each in READERS)}"


class BodyRequest(Request):
    """Flask's request, with uploaded files in memory: the body's limit bounds them, and the disk may be read-only."""

    def _get_file_stream(self, *_args: Any, **_kwargs: Any) -> BinaryIO:
        return io.BytesIO()


def read_content(request: Request) -> bytes:
    """The body's bytes as they were before the client compressed them, at most the limit of bytes.

    Raises UnsupportedEncoding, InvalidRequest or TooLarge.
    """
    with _within_limits(request):
        content = request.get_data(cache=False, parse_form_data=False)
    if not is_compressed(request):
        return content
    return inflate(content, (request.content_encoding or "").lower(), request.max_content_length or len(content))


def is_compressed(request: Request) -> bool:
    """Whether the body has a Content-Encoding."""
    return (request.content_encoding or "identity").lower() != "identity"


def read_inputs(request: Request, limits: Limits, pixels: int) -> Inputs:
    """The images or pixels in the body of a native request; `pixels` are the numbers of one image for the model.

    Raises InvalidRequest, InvalidImage, InvalidArray, TooLarge, UnsupportedType or UnsupportedEncoding.
    """
    media_type = request.mimetype
    if media_type == FORM:
        return _read_form(request)
    content = read_content(request)
    if not content:
        raise InvalidRequest(f"the body is empty: send {ACCEPTED}")
    return read_image(media_type, content) or _read_other(media_type, content, limits, pixels)


def read_image(media_type: str, content: bytes) -> EncodedImages | None:
    """The body as one image file, where it is declared as an image or begins like one, whatever is declared."""
    if media_type.startswith("image/") or is_image(content):
        return EncodedImages((EncodedImage(content, "the image"),))
    return None


def _read_other(media_type: str, content: bytes, limits: Limits, pixels: int) -> Inputs:
    declared = media_type not in UNDECLARED
    for reader in READERS:
        if media_type == reader.media_type if declared else reader.matches(content):
            return reader.read(content, limits, pixels)
    if declared:
        raise UnsupportedType(f"cannot read {media_type}: send {ACCEPTED}")
    return EncodedImages((EncodedImage(content, "the image"),))  # the decoder says what is wrong with it


def _read_form(request: Request) -> Inputs:
    if is_compressed(request):
        raise UnsupportedEncoding(f"send a form as it is, without Content-Encoding: {request.content_encoding}")
    with _within_limits(request):
        files = [file for _, file in request.files.items(multi=True)]
    images = [EncodedImage(file.read(), f"image {n} ({file.filename})") for n, file in enumerate(files, start=1)]
    if not images:
        raise InvalidRequest("the form has no file: send one or more, as curl -F file=@digit.png does")
    return EncodedImages(tuple(images))


@contextmanager
def _within_limits(request: Request) -> Iterator[None]:
    """Turn Werkzeug's error for a body over the limit, or a form of too many parts, into TooLarge."""
    try:
        yield
    except RequestEntityTooLarge as error:
        limit = request.max_content_length or 0
        if (request.content_length or 0) <= limit:
            raise TooLarge("the form has too many parts: send fewer images at a time") from error
        raise TooLarge(f"the body is larger than {limit} bytes: send fewer or smaller images") from error
