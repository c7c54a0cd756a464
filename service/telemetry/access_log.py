"""The access log: one line a request on standard output, for machines as JSON or for people as text."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson

Write = Callable[[bytes], object]  # takes a whole line at once, so that lines of several workers do not mix


class AccessLog:
    """Formats what is known of a request and hands the line to `write`."""

    def __init__(self, write: Write, log_format: str) -> None:
        self._write = write
        self._format = {"json": _as_json, "text": _as_text}[log_format]

    def write(self, log_fields: Mapping[str, Any]) -> None:
        """Write one line."""
        self._write(self._format(log_fields))


def write_stdout(line: bytes) -> None:
    """Write to standard output in one call, so that lines of several workers do not mix; a full disk loses the line."""
    with suppress(OSError):
        os.write(sys.stdout.fileno(), line)


def _as_json(log_fields: Mapping[str, Any]) -> bytes:
    return orjson.dumps({"time": _now(), **log_fields}, option=orjson.OPT_APPEND_NEWLINE)


def _as_text(log_fields: Mapping[str, Any]) -> bytes:
    """Time and a few words; `repr` keeps a path with control characters on its line."""
    result = f"{log_fields.get('model', '')} {log_fields.get('label', '')}".strip()
    request = f"{log_fields['status']} {log_fields['method']} {log_fields['path']!r}"
    words = f"{request} {log_fields['duration_ms']} ms {result}"
    return f"{_now()} {words.rstrip()}\n".encode()


def _now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")
