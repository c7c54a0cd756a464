"""The body of a request: its bytes, and for the native protocol the images or pixels in it.

`READERS` is the table of what a native body may be. The first bytes decide which one it is, and Content-Type only where
they do not. A new form is a function in `codecs` and a row here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from preprocessing.decode import FORMAT_NAMES, is_image
from service.codecs.content_encoding import inflate
from service.codecs.inputs import EncodedImage, EncodedImages, Inputs
from service.codecs.json_bodies import looks_like_json, read_json_inputs
from service.codecs.limits import Limits
from service.codecs.npy import is_npy, read_npy_inputs
from service.codecs.parameters import Parameters
from service.codecs.text_bodies import (
    looks_like_base64,
    looks_like_form,
    read_base64_inputs,
    read_field,
    read_form_inputs,
)
from service.errors import InvalidRequest, TooLarge, UnsupportedType
from service.web.unreadable_body import check_text_part, describe_body, describe_multipart

FORM_SLICE, MAX_PART_HEAD = 1 << 16, 1 << 18  # bytes of a form at a time, and before the content of one of its parts
FORM = "multipart/form-data"  # not in the table: its media type says how to take it apart
UNDECLARED = ("", "application/octet-stream", "application/x-www-form-urlencoded")  # the last is curl's default


@dataclass(frozen=True)
class BodyReader:
    """One form of body: how to recognise it by its first bytes, what reads it, and the media type that it has alone."""

    matches: Callable[[bytes], bool]
    read: Callable[[bytes, Limits, int, Parameters], Inputs]
    media_type: str | None = None


READERS = (
    BodyReader(looks_like_json, read_json_inputs, "application/json"),
    BodyReader(is_npy, read_npy_inputs, "application/x-npy"),
    BodyReader(looks_like_form, read_form_inputs),
    BodyReader(looks_like_base64, read_base64_inputs),
)
_TYPES = " or ".join(each.media_type for each in READERS if each.media_type)
ACCEPTED = f"an image ({', '.join(FORMAT_NAMES)}), {FORM}, {_TYPES}"


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


def read_inputs(request: Request, limits: Limits, pixels: int, parameters: Parameters) -> Inputs:
    """The images or pixels in the body of a native request, whose own parameters are added to the others.

    `pixels` are the numbers of one image for the model. Raises InvalidRequest, InvalidImage, InvalidArray, TooLarge,
    UnsupportedType or UnsupportedEncoding.
    """
    content = read_content(request)
    if not content:
        raise InvalidRequest(f"the body is empty: send {ACCEPTED}")
    form = _read_multipart(request, content, parameters) if request.mimetype == FORM else None
    return form or read_image(content) or _read_other(request.mimetype, content, limits, pixels, parameters)


def read_image(content: bytes) -> EncodedImages | None:
    """The body as one image file, where it begins like one."""
    return EncodedImages((EncodedImage(content, "the image"),)) if is_image(content) else None


def _read_other(media_type: str, content: bytes, limits: Limits, pixels: int, parameters: Parameters) -> Inputs:
    for reader in READERS:
        if reader.matches(content):
            return reader.read(content, limits, pixels, parameters)
    error = describe_body(content, media_type)
    if error:
        raise error
    if media_type in UNDECLARED or media_type.startswith("image/"):
        return EncodedImages((EncodedImage(content, "the image"),))  # the decoder says what is wrong with it
    for reader in READERS:
        if media_type == reader.media_type:
            return reader.read(content, limits, pixels, parameters)  # which says it
    raise UnsupportedType(f"cannot read {media_type}, and the body begins like nothing that is read: send {ACCEPTED}")


def _read_multipart(request: Request, content: bytes, parameters: Parameters) -> EncodedImages | None:
    """The images of a form; None where the body is something else that is read."""
    boundary = request.mimetype_params.get("boundary", "")
    images: list[EncodedImage] = []
    try:
        with _within_limits(request):
            for part, data in _parts(content, boundary, request.max_form_parts):
                _read_part(part, data, images, parameters)
    except ValueError as error:
        if is_image(content) or any(reader.matches(content) for reader in READERS):
            return None
        raise describe_multipart(content, boundary) from error
    if not images:
        raise InvalidRequest("the form has no file: send one or more, as curl -F file=@digit.png does")
    return EncodedImages(tuple(images))


def _parts(content: bytes, boundary: str, most: int | None) -> Iterator[tuple[Field | File, bytes]]:
    """Each part of a form (RFC 7578) with its bytes; raises ValueError where the form does not end."""
    if not boundary:
        raise ValueError("no boundary")
    decoder = MultipartDecoder(boundary.encode(), MAX_PART_HEAD, max_parts=most)
    part: Field | File | None = None
    chunks: list[bytes] = []
    for event in _events(decoder, content):
        if isinstance(event, Field | File):
            part, chunks = event, []
        elif isinstance(event, Data) and part:
            chunks.append(event.data)
            if not event.more_data:
                yield part, b"".join(chunks)


def _events(decoder: MultipartDecoder, content: bytes) -> Iterator[Event]:
    """What the decoder finds, which gets no more at a time than the head of a part may have."""
    slices = (content[start : start + FORM_SLICE] for start in range(0, len(content), FORM_SLICE))
    for data in chain(slices, (None,)):
        decoder.receive_data(data)
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            yield event


def _read_part(part: Field | File, content: bytes, images: list[EncodedImage], parameters: Parameters) -> None:
    """Add a file to the images, whatever its name; a browser sends a file input without a file as an empty one."""
    if isinstance(part, File):
        if content or part.filename:
            images.append(EncodedImage(content, f"image {len(images) + 1} ({part.filename})"))
        return
    name = part.name or ""
    check_text_part(name, content)
    read_field(name, content.decode(errors="replace"), images, parameters)


@contextmanager
def _within_limits(request: Request) -> Iterator[None]:
    """Turn Werkzeug's error for a body over the limit, or a form of too many parts, into TooLarge."""
    try:
        yield
    except RequestEntityTooLarge as error:
        limit = request.max_content_length or 0
        if (request.content_length or 0) <= limit:
            raise TooLarge("the form has too many parts, or too long headers: send fewer images at a time") from error
        raise TooLarge(f"the body is larger than {limit} bytes: send fewer or smaller images") from error
