"""The access log: one line a request on standard output, for machines as JSON or for people as text."""

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from service.ipc.output import MAX_LINE, standard_output

MAX_PATH = 512  # characters of a path in a line that has no room for all of it, each of at most 6 bytes
Write = Callable[[bytes], object]  # takes a whole line at once, so that lines of several workers do not mix


class AccessLog:
    """Formats what is known of a request and hands the line to `write`."""

    def __init__(self, write: Write, log_format: str) -> None:
        self._write = write
        self._format = {"json": _as_json, "text": _as_text}[log_format]

    def write(self, log_fields: Mapping[str, Any]) -> None:
        """Write one line; a path that would make it too long for one piece is cut."""
        line = self._format(log_fields)
        if len(line) > MAX_LINE:
            line = self._format({**log_fields, "path": f"{log_fields['path'][:MAX_PATH]}…"})
        self._write(line)


def stdout_writer() -> Write:
    """What writes a line to standard output in one call, or drops and counts it; it never waits and raises nothing."""
    output = standard_output()

    def write(line: bytes) -> None:
        if not output.is_plain or len(line) > MAX_LINE:
            output.write(line)
            return
        try:
            taken = os.write(output.descriptor, line)
        except OSError:
            output.drop(1)
        else:
            if taken < len(line):
                output.hold_back(line[taken:])

    return write


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
