"""Responses with a JSON body, and their compression."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Request, Response

from service.codecs.content_encoding import CODINGS, WORTH_BYTES, deflate


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response of type exactly `application/json`, whose last line ends."""
    return raw_json_response(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE), status, headers)


def raw_json_response(content: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The same for JSON that is encoded already."""
    return Response(content, status, headers, content_type="application/json")


def compress(response: Response, request: Request) -> Response:
    """The same response, compressed where the client accepts that and the body is long enough to be worth it."""
    response.vary.add("Accept-Encoding")
    content = response.get_data()
    coding = request.accept_encodings.best_match([*CODINGS, "identity"])
    if coding not in CODINGS or len(content) < WORTH_BYTES:
        return response
    response.set_data(deflate(content, coding))
    response.content_encoding = coding
    return response
