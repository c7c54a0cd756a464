"""One HTTP/1.1 request while it arrives: bytes are fed in, a complete request comes out, nothing ever blocks.

Where RFC 9112 lets a recipient be lenient, this one refuses: two readers of the same bytes must never disagree about
where a request ends. Nothing calls back, so a parser and all that it holds are freed together with its connection.
"""

import io
import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from service.errors import HeadersTooLarge, MalformedRequest, RequestError, TooLarge, UriTooLong

MAX_EMPTY_LINES = 8  # before a request
MAX_REQUEST_LINE = 8190
MAX_HEADERS = 64
MAX_HEADER_BYTES = 8190  # of one field, with its name and its line end
MAX_HEAD_BYTES = 32768  # of all that is no body: also what follows the chunks, and their extensions
MAX_CHUNK_LINE = 256

REQUEST_LINE = re.compile(r"([A-Z][A-Z-]{2,19}) ([\x21-\x7e\x80-\xff]++) (HTTP/1\.[01])")
TARGET = re.compile(r"(?:(?=/)|(?i:https?)://[^/?]++)(/[^?]*+)?(?:\?(.*+))?")  # or a whole URL (RFC 9112, 3.2.2)
FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]++):([\t\x20-\x7e\x80-\xff]*+)\r\n|([\x00-\xff]+)")
# More than 8 digits only where they say so much that every reader sees it is too much.
FIRST_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8}|[1-9A-Fa-f][0-9A-Fa-f]{8,15})(;[\t\x20-\x7e\x80-\xff]*+)?+\r\n")
NEXT_CHUNK = re.compile(rb"\r\n" + FIRST_CHUNK.pattern)
HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+;=%:\[\]-]*")  # RFC 3986, 3.2.2, without the comma of a list
SINGLE = frozenset({"HTTP_HOST", "HTTP_TRANSFER_ENCODING", "HTTP_AUTHORIZATION", "CONTENT_LENGTH", "CONTENT_TYPE"})

Environ = dict[str, Any]


class RequestParser:
    """The parser of one connection, reset after every request.

    `error` is set, by `fail`, where the application must not look at the request; then what still comes is thrown away,
    and the connection cannot be used again.
    """

    def __init__(self, max_body_bytes: int) -> None:
        self._max_body_bytes = max_body_bytes
        self._unparsed = bytearray()
        self._begin()

    def _begin(self) -> None:
        self.started = self.head_complete = self.complete = False
        self.error: RequestError | None = None
        self.missing = 0  # bytes that Content-Length or the size of a chunk announces and that have not come
        self._empty_lines = self._line_bytes = self._fields_read = 0
        self._line: Environ | None = None
        self._fields: Environ = {}
        self._wants_continue = False
        self.is_persistent = False  # whether the client wants the connection to persist (RFC 9112, 9.3), and it can
        self.is_compressed = False  # whether the body may become any number of bytes
        self._in_trailers = False
        self._chunk: re.Pattern[bytes] | None = None  # how the next chunk begins
        self._body = bytearray()

    def feed(self, data: bytes) -> None:
        """Parse what the socket has read; empty lines before a request are ignored (RFC 9112, 2.2)."""
        if self.error:
            return
        self._unparsed += data
        if self.complete or not (self.started or self._starts()):
            return
        if self.missing or b"\n" in data:  # so a long line that drips in is parsed once, at its end
            if not self.head_complete and self._parse_lines():
                self._begin_body()
            if self.head_complete and not self.error:
                self._parse_body()
        if not (self.complete or self.missing or self.error):
            self._check_line()

    def wants_continue(self) -> bool:
        """Whether the client waits for `100 Continue` before it sends the body (RFC 9110, 10.1.1); true once."""
        wants, self._wants_continue = self._wants_continue, False
        return wants and not self._body and self.error is None

    def next(self) -> None:
        """Forget this request and parse what the client has already sent of the next one."""
        rest, self._unparsed = bytes(self._unparsed), bytearray()
        self._begin()
        if rest:
            self.feed(rest)

    def release(self) -> None:
        """Forget what was kept of the request; what has come behind a complete one stays."""
        self._body, self._fields = bytearray(), {}
        self._unparsed = self._unparsed if self.complete else bytearray()
        self._line_bytes = self.missing = 0

    @property
    def held(self) -> int:
        """Bytes of memory that the head, the body and what has come behind them take."""
        return self._line_bytes + len(self._body) + len(self._unparsed)

    def environ(self) -> Environ:
        """The request's part of a WSGI environment (PEP 3333); its method is UNKNOWN where none could be parsed."""
        return {
            **self._fields,
            **(self._line or _environ_of_line("UNKNOWN", "/", "HTTP/1.1")),
            "CONTENT_LENGTH": str(len(self._body)),
            "wsgi.input": io.BytesIO(self._body),
        }

    # Lines

    def _starts(self) -> bool:
        """Skip empty lines; whether a request begins behind them."""
        data = self._unparsed
        while data.startswith(b"\r\n"):
            del data[:2]
            self._empty_lines += 1
        if self._empty_lines <= MAX_EMPTY_LINES and (not data or data == b"\r"):
            return False
        self.started = True
        return data[:1].isupper() or self._refuse("it does not begin with a method")  # TLS, for example

    def _parse_lines(self) -> bool:
        """Take the lines that have come, of the head or behind the chunks; whether an empty one ends them."""
        data = self._unparsed
        end = 0 if self._line and data.startswith(b"\r\n") else data.find(b"\r\n\r\n") + 2
        has_end = end != 1
        size = end if has_end else data.rfind(b"\r\n") + 2
        if size == 1:
            return False  # not even one
        lines = data[:size].decode("latin-1")
        if self._line is None:
            line, _, lines = lines.partition("\r\n")
            if len(line) > MAX_REQUEST_LINE:
                return self._fail_too_long()
            self._line = _parse_request_line(line)
        size += 2 * has_end
        return self._line is not None and self._take(size, size) and self._parse_fields(lines) and has_end

    def _parse_fields(self, lines: str) -> bool:
        """Keep the fields; those behind the chunks are only checked. False where one cannot be accepted."""
        fields = self._fields if not self._in_trailers else dict.fromkeys(SINGLE, "")
        found = FIELD.findall(lines)
        self._fields_read += len(found)
        for name, value, other in found:
            if other:
                return self._refuse("one of its lines is not a header field")
            if len(name) + len(value) + 3 > MAX_HEADER_BYTES or self._fields_read > MAX_HEADERS:
                return self._fail_too_large()
            key = _environ_key(name)
            if key not in fields:
                fields[key] = value.strip(" \t")
            elif key in SINGLE:
                return self._refuse(f"{name} is sent twice, or behind the body")
            else:
                fields[key] += "," + value.strip(" \t")
        fields.pop("", None)
        return True

    def _take(self, size: int, line_bytes: int) -> bool:
        """Forget what has been parsed; False where too much of it, in all, was no body."""
        del self._unparsed[:size]
        self._line_bytes += line_bytes
        return self._line_bytes <= MAX_HEAD_BYTES or self._fail_too_large()

    def _check_line(self) -> None:
        """Refuse a line that has come and was not accepted, and one that is too long already."""
        line, in_chunks = self._unparsed, self.head_complete and not self._in_trailers
        if line.find(b"\n", 2 * in_chunks) >= 0 or (in_chunks and len(line) > MAX_CHUNK_LINE):
            self._refuse("one of its lines is none of the protocol's")
        elif not self._line and len(line) > MAX_REQUEST_LINE + 1:
            self._fail_too_long()
        elif len(line) > MAX_HEADER_BYTES or self._line_bytes + len(line) > MAX_HEAD_BYTES:
            self._fail_too_large()

    # The body

    def _begin_body(self) -> None:
        """Learn where the request ends, and what the client wants then."""
        get, is_1_1 = self._fields.get, self._line is not None and self._line["SERVER_PROTOCOL"] == "HTTP/1.1"
        self.head_complete = True
        self.is_compressed = get("HTTP_CONTENT_ENCODING") is not None
        coding, length, connection = get("HTTP_TRANSFER_ENCODING"), get("CONTENT_LENGTH"), get("HTTP_CONNECTION")
        options = [option.strip() for option in connection.lower().split(",")] if connection else ()
        self.is_persistent = "close" not in options and (is_1_1 or "keep-alive" in options)
        self._wants_continue = is_1_1 and get("HTTP_EXPECT", "").lower() == "100-continue"
        if not HOST.fullmatch(get("HTTP_HOST", "/" if is_1_1 else "")):
            self._refuse("Host is missing, or is not a host")
        elif coding is not None and (coding.lower() != "chunked" or length is not None or not is_1_1):
            self._refuse("send the body with Content-Length or with Transfer-Encoding: chunked")
        elif coding is not None:
            self._chunk = FIRST_CHUNK
        elif length and length.isascii() and length.isdigit() and len(length) < 20:
            self._announce(int(length))
        elif length is not None:
            self._refuse("Content-Length is not a number of bytes")

    def _announce(self, size: int) -> int:
        """Expect so many bytes more of the body, unless that is too many."""
        self.missing = size
        if len(self._body) + size > self._max_body_bytes:
            self.fail(TooLarge(f"the body is larger than {self._max_body_bytes} bytes: send fewer or smaller images"))
        return size

    def _parse_body(self) -> None:
        """Take what has come of the body."""
        if self._chunk is None:
            rest = self._unparsed[self.missing :]
            del self._unparsed[self.missing :]
            self._body += self._unparsed
            self.missing -= len(self._unparsed)
            self._unparsed = rest
            self.complete = self.missing == 0
        elif not self._in_trailers:
            self._parse_chunks(self._chunk)
        if self._in_trailers and not self.error:
            self.complete = self._parse_lines()

    def _parse_chunks(self, next_chunk: re.Pattern[bytes]) -> None:
        """Take what has come of the chunks (RFC 9112, 7.1), the last of which has size 0."""
        data, position, extensions = bytes(self._unparsed), 0, 0
        while not (self._in_trailers or self.error):
            part = data[position : position + self.missing]
            self._body += part  # a list of small chunks would take many times their size
            self.missing -= len(part)
            position += len(part)
            line = None if self.missing else next_chunk.match(data, position)
            if line is None:
                break
            extensions += len(line[2] or b"")
            if line.end() - position > MAX_CHUNK_LINE:
                self._refuse("the line before a chunk is too long")
            position = line.end()
            self._in_trailers = not self._announce(int(line[1], 16))
            self._chunk = next_chunk = NEXT_CHUNK
        self._take(position, extensions)

    # What is wrong

    def _refuse(self, reason: str) -> bool:
        return self.fail(MalformedRequest(f"this is not a valid HTTP/1.1 request: {reason}"))

    def _fail_too_long(self) -> bool:
        return self.fail(UriTooLong(f"the request line is longer than {MAX_REQUEST_LINE} bytes"))

    def _fail_too_large(self) -> bool:
        most = f"{MAX_HEADERS} header fields of {MAX_HEADER_BYTES} bytes, {MAX_HEAD_BYTES} all together"
        return self.fail(HeadersTooLarge(f"send at most {most}"))

    def fail(self, error: RequestError) -> bool:
        """Refuse the request, unless it has an error; what came of it is forgotten. False for the caller to return."""
        self.error = self.error or error
        self.is_persistent = False
        self._unparsed, self._body, self.missing = bytearray(), bytearray(), 0
        return False


@lru_cache(maxsize=64)
def _parse_request_line(line: str) -> Environ | None:
    """What WSGI calls the parts of a request line; None where it is none."""
    parts = REQUEST_LINE.fullmatch(line)
    if parts is None:
        return None
    method, target, version = parts.groups()
    form = TARGET.fullmatch(target)
    if form:
        return _environ_of_line(method, form[1] or "/", version, form[2] or "")
    is_known = method == "CONNECT" or (method, target) == ("OPTIONS", "*")
    return _environ_of_line(method, target, version) if is_known else None


def _environ_of_line(method: str, path: str, version: str, query: str = "") -> Environ:
    """The query's bytes beyond ASCII are escaped, as clients should do it (RFC 3986, 2.5) and not all do."""
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1") if "%" in path else path,
        "QUERY_STRING": re.sub(r"[\x80-\xff]", lambda character: f"%{ord(character[0]):02X}", query),
        "SERVER_PROTOCOL": version,
    }


@lru_cache(maxsize=256)
def _environ_key(name: str) -> str:
    """What WSGI calls a header; empty for one with an underscore, which could pass for another."""
    key = name.upper().replace("-", "_")
    if "_" in name:
        return ""
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
