"""JSON answers, written in one place."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of type exactly `application/json`."""
    return Response(orjson.dumps(value), status, headers, content_type="application/json")
