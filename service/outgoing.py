"""One answer as the bytes of HTTP/1.1: it is complete before its first byte is sent, so its length is always known."""

import time
from functools import lru_cache
from http import HTTPStatus
from wsgiref.handlers import format_date_time

Headers = list[tuple[str, str]]

OURS = ("content-length", "connection", "date", "server")  # what the application says of these is replaced
WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class UnsafeHeader(Exception):
    """A header of the application's holds a line break, which would let it write headers of its own."""


def write_answer(status: str, headers: Headers, body: bytes, *, method: str, version: str, keep_alive: bool) -> bytes:
    """The whole answer (RFC 9112); `status` is code and reason, `version` like `HTTP/1.1`.

    HEAD, 204 and 304 have no body, the last two no length either. Raises UnsafeHeader.
    """
    code = int(status[:3])
    lines = [f"{version} {status}", "Server: convserve", f"Date: {_date(int(time.time()))}"]
    lines.append(f"Connection: {'keep-alive' if keep_alive else 'close'}")
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in OURS]
    if code not in WITHOUT_BODY:
        lines.append(f"Content-Length: {_length(headers, body)}")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise UnsafeHeader("a header holds a line break")
    omitted = method == "HEAD" or code in WITHOUT_BODY
    return head.encode("latin-1") + b"\r\n\r\n" + (b"" if omitted else body)


def _length(headers: Headers, body: bytes) -> int:
    """The body's own length; for an answer to HEAD, which may come without one, what the application says."""
    said = [int(value) for name, value in headers if name.lower() == "content-length"]
    return len(body) if body or not said else said[0]


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    """The Date header's value, the same for a whole second."""
    return format_date_time(second)
