"""JSON text from strangers (RFC 8259)."""

from typing import Any

import orjson

from service.errors import InvalidRequest, TooLarge

MAX_NODES = 1_500_000  # lists, objects and texts: 23 photographs of 224 × 224 as lists have 1.2 million


def parse_json(content: bytes) -> Any:
    """The value; raises InvalidRequest, also for NaN, Infinity and nesting deeper than 1,024, or TooLarge.

    Every list takes many times the memory of its text, so they are counted before they are made.
    """
    if len(content) > MAX_NODES and _count_nodes(content) > MAX_NODES:
        raise TooLarge(f"the JSON has more than {MAX_NODES} lists, objects and texts: send fewer or smaller images")
    if not content.strip():
        raise InvalidRequest("the body is empty, and should be JSON")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not valid JSON (NaN and Infinity are not JSON either): {error}") from error


def _count_nodes(content: bytes) -> int:
    return content.count(b"[") + content.count(b"{") + content.count(b'"') // 2
