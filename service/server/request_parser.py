"""One HTTP request while it arrives: bytes are fed in, a complete request comes out, nothing ever blocks.

The parsing and framing are gunicorn's own C parser; what is decided here is how much is accepted.
"""

import io
import re
from typing import Any
from urllib.parse import unquote_to_bytes

from gunicorn_h1c import H1CProtocol, LimitRequestHeaders, LimitRequestLine, ParseError

from service.errors import HeadersTooLarge, MalformedRequest, RequestError, TooLarge, UriTooLong

MAX_REQUEST_LINE = 8190
MAX_HEADERS = 64
MAX_HEADER_BYTES = 8190

Environ = dict[str, Any]


class RequestParser:
    """The parser of one connection, reset after every request.

    `error` is set where the application must not look at the request; then the rest of its body is thrown away as it
    comes, and the connection cannot be used again.
    """

    def __init__(self, max_body_bytes: int) -> None:
        self._max_body_bytes = max_body_bytes
        self._parser = H1CProtocol(
            on_headers_complete=self._on_headers,
            on_body=self._on_body,
            on_message_complete=self._on_complete,
            limit_request_line=MAX_REQUEST_LINE,
            limit_request_fields=MAX_HEADERS,
            limit_request_field_size=MAX_HEADER_BYTES,
        )
        self._head_bytes = 0
        self._body = bytearray()
        self._announced = 0
        self._wants_continue = False
        self.started = False  # whether any byte of the request has come
        self.head_complete = False
        self.complete = False
        self.error: RequestError | None = None

    def feed(self, data: bytes) -> None:
        """Parse what the socket has read; empty lines before a request are ignored (RFC 9112, 2.2)."""
        if not self.started:
            data = data.lstrip(b"\r\n")
            self.started = bool(data)
        in_head = self.error is None and not self.head_complete
        try:
            self._parser.feed(data)
        except LimitRequestLine:
            self.error = UriTooLong(f"the request line is longer than {MAX_REQUEST_LINE} bytes")
        except LimitRequestHeaders:
            self.error = HeadersTooLarge(f"send at most {MAX_HEADERS} header fields of {MAX_HEADER_BYTES} bytes")
        except (ParseError, ValueError) as error:  # the parser's own two families of errors
            self.error = MalformedRequest(f"this is not a valid HTTP/1.1 request: {error}")
        if in_head:
            self._head_bytes += len(data) - len(self._body)

    def wants_continue(self) -> bool:
        """Whether the client waits for `100 Continue` before it sends the body (RFC 9110, 10.1.1); true once."""
        wants, self._wants_continue = self._wants_continue, False
        return wants and not self._body and self.error is None

    def next(self) -> None:
        """Forget this request and parse what the client has already sent of the next one."""
        rest = self._parser.remaining()
        self.release()
        self._parser.reset()
        self.head_complete = False
        self.started = self._wants_continue = self.complete = False
        if rest:
            self.feed(rest)

    def release(self) -> None:
        """Forget what was kept of the request; then nothing is held."""
        self._head_bytes = self._announced = 0
        self._body = bytearray()

    @property
    def held(self) -> int:
        """Bytes of memory that the head and the body take."""
        return self._head_bytes + len(self._body)

    @property
    def missing(self) -> int:
        """Bytes of the body that Content-Length announces and that have not come."""
        return max(0, self._announced - len(self._body))

    @property
    def is_persistent(self) -> bool:
        """Whether the client wants the connection to persist (RFC 9112, 9.3), and it can."""
        return self.error is None and bool(self._parser.should_keep_alive)

    def environ(self) -> Environ:
        """The request's part of a WSGI environment (PEP 3333); its method is UNKNOWN where none could be parsed."""
        major, minor = self._parser.http_version or (1, 1)
        path, _, query = _origin_form(self._parser.path or b"/").partition(b"?")
        environ: Environ = {
            "REQUEST_METHOD": (self._parser.method or b"UNKNOWN").decode("ascii"),
            "SCRIPT_NAME": "",
            "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
            "QUERY_STRING": _escaped(query).decode("ascii"),
            "SERVER_PROTOCOL": f"HTTP/{major}.{minor}",
            "CONTENT_LENGTH": str(len(self._body)),
            "wsgi.input": io.BytesIO(self._body),
        }
        for name, value in self._parser.headers or ():
            _add_header(environ, name.decode("latin-1"), value.decode("latin-1"))
        return environ

    def _on_headers(self) -> bool:
        self.head_complete = True
        self._wants_continue = (self._parser.get_header(b"expect") or b"").lower() == b"100-continue"
        coding = self._parser.get_header(b"transfer-encoding")
        if coding is not None and coding.lower() != b"chunked":
            self.error = MalformedRequest("send the body with Content-Length or with Transfer-Encoding: chunked")
        self._announced = self._parser.content_length or 0
        self._check_size(self._announced)
        return False

    def _on_body(self, chunk: bytes) -> None:
        if self.error is None:
            self._check_size(len(self._body) + len(chunk))
        if self.error is None:
            self._body += chunk  # a list of small chunks would take many times their size

    def _on_complete(self) -> None:
        self.complete = True

    def _check_size(self, size: int) -> None:
        if size > self._max_body_bytes:
            self.error = TooLarge(f"the body is larger than {self._max_body_bytes} bytes: send fewer or smaller images")


def _origin_form(target: bytes) -> bytes:
    """The path and query of a request target; proxies may send the whole URL (RFC 9112, 3.2.2)."""
    if target.startswith((b"http://", b"https://")):
        return b"/" + target.partition(b"://")[2].partition(b"/")[2]
    return target


def _escaped(query: bytes) -> bytes:
    """The query with its bytes beyond ASCII escaped, as clients should do it (RFC 3986, 2.5) and not all do."""
    return query if query.isascii() else re.sub(rb"[\x80-\xff]", lambda byte: b"%%%02X" % ord(byte[0]), query)


def _add_header(environ: Environ, name: str, value: str) -> None:
    """Add a header under its WSGI name; those with an underscore could pass for others and are left out."""
    if "_" in name:
        return
    key = name.upper().replace("-", "_")
    if key == "CONTENT_TYPE":
        environ["CONTENT_TYPE"] = value
    elif key != "CONTENT_LENGTH":
        key = f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
