"""The bytes of a request's body, whatever dialect it is in."""

import io
from typing import Any, BinaryIO

from flask import Request

from service.compression import inflate


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
