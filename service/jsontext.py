"""JSON text from strangers (RFC 8259)."""

from typing import Any

import orjson

from service.errors import InvalidRequest


def parse_json(content: bytes) -> Any:
    """The value; raises InvalidRequest, also for NaN, Infinity and nesting deeper than 1,024."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not valid JSON (NaN and Infinity are not JSON either): {error}") from error
