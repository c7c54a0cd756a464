"""A request while it arrives: the same whatever pieces it comes in, and bounded whatever is sent."""

import gc
import tracemalloc
import weakref
from collections.abc import Iterator

import pytest

from service.errors import TooLarge
from service.server.request_parser import (
    MAX_EMPTY_LINES,
    MAX_HEAD_BYTES,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    MAX_REQUEST_LINE,
    RequestParser,
)

POST = b"POST /predict?top_k=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX-Two: 1\r\nX-Two: 2\r\n\r\nhello"
CHUNKED = (
    b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: 1\r\n\r\n"
)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def parser() -> RequestParser:
    return RequestParser(max_body_bytes=100)


def body_of(parser: RequestParser) -> bytes:
    body: bytes = parser.environ()["wsgi.input"].read()
    return body


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000], ids=lambda size: f"{size} bytes at a time")
@pytest.mark.parametrize("data", [POST, CHUNKED], ids=["Content-Length", "chunked"])
def test_a_request_is_the_same_in_whatever_pieces_it_comes(parser: RequestParser, data: bytes, size: int) -> None:
    for start in range(0, len(data), size):
        assert not parser.complete
        parser.feed(data[start : start + size])

    assert parser.complete
    assert parser.error is None
    assert body_of(parser) == b"hello"
    assert parser.environ()["CONTENT_LENGTH"] == "5"


@pytest.mark.parametrize("before", [b"\r\n", b"\r\n\r\n"], ids=repr)
def test_empty_lines_before_a_request_are_ignored(parser: RequestParser, before: bytes) -> None:
    parser.feed(before)
    assert not parser.started

    parser.feed(b"\r\n" + GET)

    assert parser.complete
    assert parser.error is None


def test_the_environment_is_what_wsgi_asks_for(parser: RequestParser) -> None:
    parser.feed(POST.replace(b"/predict", b"/pre%64ict%C3%A9"))

    environ = parser.environ()

    assert environ["REQUEST_METHOD"] == "POST"
    assert environ["PATH_INFO"] == "/predict\xc3\xa9"
    assert (environ["SCRIPT_NAME"], environ["QUERY_STRING"]) == ("", "top_k=1")
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert environ["HTTP_X_TWO"] == "1,2"


def test_a_header_with_an_underscore_cannot_pass_for_another(parser: RequestParser) -> None:
    parser.feed(b"GET / HTTP/1.1\r\nHost: a\r\nX_Request_ID: evil\r\nContent_Length: 7\r\n\r\n")

    environ = parser.environ()

    assert "HTTP_X_REQUEST_ID" not in environ
    assert environ["CONTENT_LENGTH"] == "0"


def test_requests_behind_one_another_come_out_one_by_one(parser: RequestParser) -> None:
    parser.feed(POST + GET + CHUNKED[:30])
    first = parser.environ()["PATH_INFO"], body_of(parser)
    parser.next()
    second = parser.environ()["PATH_INFO"], body_of(parser)
    parser.next()
    assert parser.started
    assert not parser.complete
    parser.feed(CHUNKED[30:])

    assert [first, second] == [("/predict", b"hello"), ("/", b"")]
    assert (parser.environ()["PATH_INFO"], body_of(parser)) == ("/a", b"hello")


def test_nothing_has_started_before_the_first_byte(parser: RequestParser) -> None:
    started = [parser.started]
    parser.feed(GET[:1])
    started.append(parser.started)
    parser.feed(GET[1:])
    parser.next()
    started.append(parser.started)

    assert started == [False, True, False]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\r\n\r\n", "malformed_request", id="TLS"),
        pytest.param(b"hello\r\n\r\n", "malformed_request", id="no HTTP"),
        pytest.param(b"GET / HTTP/3.0\r\n\r\n", "malformed_request", id="a version to come"),
        pytest.param(b"GET  HTTP/1.1\r\n\r\n", "malformed_request", id="no path"),
        pytest.param(b"G\xc3\x89T / HTTP/1.1\r\nHost: a\r\n\r\n", "malformed_request", id="method not ASCII"),
        pytest.param(b"GET / HTTP/1.1\r\nHost\r\n\r\n", "malformed_request", id="header without colon"),
        pytest.param(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "malformed_request", id="space before colon"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "malformed_request", id="folded header"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n", "malformed_request", id="null in a header"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "malformed_request", id="negative length"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1e3\r\n\r\n", "malformed_request", id="length no number"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", "malformed_request", id="length with a sign"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "malformed_request",
            id="two lengths",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "malformed_request",
            id="length and chunks",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "malformed_request",
            id="coded twice",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", "malformed_request", id="identity"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
            "malformed_request",
            id="two codings",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "malformed_request",
            id="chunk size no number",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n",
            "malformed_request",
            id="chunk too long",
        ),
        pytest.param(b"GET /" + b"a" * MAX_REQUEST_LINE + b" HTTP/1.1\r\n\r\n", "uri_too_long", id="long path"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n", "headers_too_large", id="many"),
        pytest.param(
            b"GET / HTTP/1.1\r\nA: " + b"b" * (MAX_HEADER_BYTES + 1) + b"\r\n\r\n",
            "headers_too_large",
            id="long header",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", "too_large", id="length over the limit"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
            "malformed_request",
            id="length of no machine",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + b"a" * 101 + b"\r\n0\r\n\r\n",
            "too_large",
            id="chunks over the limit",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_with_its_code(parser: RequestParser, data: bytes, code: str) -> None:
    parser.feed(data)

    assert parser.error is not None
    assert parser.error.code == code
    assert not parser.is_persistent


@pytest.mark.parametrize("size", [b"65", b"00000065", b"ffffffff", b"FFFFFFFFFFFFFFFF;x=y"], ids=repr)
@pytest.mark.parametrize("before", [b"", b"4\r\nbody\r\n"], ids=["first", "second"])
def test_a_chunk_over_the_limit_is_refused_by_its_size_before_any_of_it_has_come(
    parser: RequestParser, size: bytes, before: bytes
) -> None:
    parser.feed(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + before + size + b"\r\n")

    assert isinstance(parser.error, TooLarge)
    assert parser.missing == 0


HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MALFORMED = {
    "no Host": b"GET / HTTP/1.1\r\nA: b\r\n\r\n",
    "two hosts": HEAD + b"Host: a\r\n\r\n",
    "a list of hosts": b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "a host with a space": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a host with a user": b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "a wrong host in HTTP/1.0": b"GET / HTTP/1.0\r\nHost: a/b\r\n\r\n",
    "two spaces before the path": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "two spaces behind the path": b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space at the beginning": b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space at the end of the request line": b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "a tab for a space": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a control byte in the path": b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method in lower case": b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a path without a slash": b"GET predict HTTP/1.1\r\nHost: a\r\n\r\n",
    "a query without a path": b"GET ?a=b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a star that asks for no options": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "another scheme": b"GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http in lower case": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: a\n\n",
    "a bare line feed behind a header": b"GET / HTTP/1.1\r\nHost: a\n\r\n",
    "a bare line feed before the request": b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a bare line feed at the end of the head": b"GET / HTTP/1.1\r\nHost: a\r\n\n",
    "a bare carriage return": b"GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n",
    "carriage returns before the request": b"\r\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a null in a name": b"GET / HTTP/1.1\r\nHost: a\r\nA\x00: b\r\n\r\n",
    "a control byte in a value": HEAD + b"A: \x1b[2J\r\n\r\n",
    "a delete byte in a value": HEAD + b"A: \x7f\r\n\r\n",
    "a name that is no token": HEAD + b"A(b): c\r\n\r\n",
    "a name beyond ASCII": HEAD + b"\xc3\xa9: c\r\n\r\n",
    "no name": HEAD + b": c\r\n\r\n",
    "a tab before the colon": HEAD + b"A\t: c\r\n\r\n",
    "a folded first header": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "folding by a tab": HEAD + b"A: b\r\n\tc\r\n\r\n",
    "equal lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a list of lengths": HEAD + b"Content-Length: 5, 5\r\n\r\nhello",
    "no length": HEAD + b"Content-Length:\r\n\r\n",
    "a length in digits beyond ASCII": HEAD + b"Content-Length: \xb2\r\n\r\n",
    "a hexadecimal length": HEAD + b"Content-Length: 0x5\r\n\r\nhello",
    "two types": HEAD + b"Content-Type: a\r\nContent-Type: b\r\n\r\n",
    "two authorizations": HEAD + b"Authorization: a\r\nAuthorization: b\r\n\r\n",
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "two transfer codings": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an empty transfer coding": HEAD + b"Transfer-Encoding:\r\n\r\n",
    "chunks before a length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "a chunk with a sign": CHUNKS + b"+5\r\nhello\r\n0\r\n\r\n",
    "a negative chunk": CHUNKS + b"-5\r\nhello\r\n0\r\n\r\n",
    "a chunk with a prefix": CHUNKS + b"0x5\r\nhello\r\n0\r\n\r\n",
    "a chunk with an underscore": CHUNKS + b"0_5\r\nhello\r\n0\r\n\r\n",
    "a chunk of no size": CHUNKS + b"\r\nhello\r\n0\r\n\r\n",
    "a chunk size of nine digits": CHUNKS + b"000000005\r\nhello\r\n0\r\n\r\n",
    "a chunk size with a space": CHUNKS + b"5 \r\nhello\r\n0\r\n\r\n",
    "a chunk size before a line feed": CHUNKS + b"5\nhello\r\n0\r\n\r\n",
    "a chunk before a line feed": CHUNKS + b"5\r\nhello\n0\r\n\r\n",
    "a line feed in an extension": CHUNKS + b"5;a\n\r\nhello\r\n0\r\n\r\n",
    "a null in an extension": CHUNKS + b"5;\x00\r\nhello\r\n0\r\n\r\n",
    "a long extension": CHUNKS + b"5;" + b"a" * 300 + b"\r\nhello\r\n0\r\n\r\n",
    "a long extension without an end": CHUNKS + b"5;" + b"a" * 300,
    "a host behind the chunks": CHUNKS + b"0\r\nHost: b\r\n\r\n",
    "a length behind the chunks": CHUNKS + b"0\r\nContent-Length: 5\r\n\r\nhello",
    "a folded trailer": CHUNKS + b"0\r\nA: b\r\n c\r\n\r\n",
    "a trailer that is no field": CHUNKS + b"0\r\nA b\r\n\r\n",
    "many empty lines": b"\r\n" * (MAX_EMPTY_LINES + 1),
    "TLS without a line": b"\x16\x03\x01",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("size", [1, 100_000], ids=["byte by byte", "at once"])
def test_what_two_servers_could_read_in_two_ways_is_refused(parser: RequestParser, data: bytes, size: int) -> None:
    for start in range(0, len(data), size):
        parser.feed(data[start : start + size])

    assert parser.error is not None
    assert parser.error.code == "malformed_request"
    assert not parser.complete


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(HEAD + (b"A: " + b"b" * 8000 + b"\r\n") * 5 + b"\r\n", id="large headers together"),
        pytest.param(CHUNKS + b"0\r\n" + (b"A: " + b"b" * 8000 + b"\r\n") * 5 + b"\r\n", id="large trailers"),
        pytest.param(CHUNKS + b"0\r\n" + b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n", id="many trailers"),
        pytest.param(CHUNKS + b"0\r\n" + b"A: b" + b"b" * MAX_HEADER_BYTES, id="a long trailer"),
        pytest.param(CHUNKS + (b"1;" + b"a" * 200 + b"\r\nb\r\n") * 200, id="many extensions"),
    ],
)
@pytest.mark.parametrize("size", [50, 100_000], ids=["in pieces", "at once"])
def test_lines_of_one_request_are_bounded_all_together(data: bytes, size: int) -> None:
    parser = RequestParser(max_body_bytes=10_000)
    most = 0
    for start in range(0, len(data), size):
        parser.feed(data[start : start + size])
        most = max(most, parser.held)

    assert parser.error is not None
    assert parser.error.code == "headers_too_large"
    assert most <= MAX_HEAD_BYTES + size + 200  # of the body


def test_headers_behind_the_chunks_do_not_become_headers_of_the_request(parser: RequestParser) -> None:
    parser.feed(CHUNKS + b"1\r\na\r\n0\r\nX-Request-ID: evil\r\nAccept: b\r\n\r\n")

    assert parser.complete
    assert not {"HTTP_X_REQUEST_ID", "HTTP_ACCEPT"} & parser.environ().keys()


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n",
        b"POST / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n",
        b"CONNECT a:443 HTTP/1.1\r\n",
    ],
    ids=["h2c", "websocket", "CONNECT"],
)
def test_the_protocol_is_never_switched(parser: RequestParser, head: bytes) -> None:
    parser.feed(head + b"Host: a\r\nContent-Length: 5\r\n\r\nhello" + GET)
    bodies = [body_of(parser)]
    parser.next()

    assert bodies == [b"hello"]
    assert parser.environ()["REQUEST_METHOD"] == "GET"


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("http://host/a?b=c", "/a", "b=c"),
        ("HTTPS://user@[::1]:9/a?b=/c", "/a", "b=/c"),
        ("http://host?b=c", "/", "b=c"),
        ("http://host", "/", ""),
        ("//host/a", "//host/a", ""),
        ("/http://host/a?b?c", "/http://host/a", "b?c"),
    ],
)
def test_the_target_may_be_a_path_or_a_url(parser: RequestParser, target: str, path: str, query: str) -> None:
    parser.feed(f"GET {target} HTTP/1.1\r\nHost: host\r\n\r\n".encode())

    environ = parser.environ()

    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == (path, query)


def test_where_the_request_line_could_be_parsed_an_error_still_has_its_path(parser: RequestParser) -> None:
    parser.feed(b"PUT /v2/models HTTP/1.1\r\nHost : a\r\n\r\n")

    assert parser.error is not None
    assert (parser.environ()["REQUEST_METHOD"], parser.environ()["PATH_INFO"]) == ("PUT", "/v2/models")


@pytest.mark.parametrize("released", [False, True], ids=["as it is", "released"])
def test_what_follows_a_complete_request_is_kept_until_the_next(parser: RequestParser, released: bool) -> None:
    parser.feed(POST)
    parser.feed(GET[:10])
    if released:
        parser.release()
    held = parser.held
    parser.next()
    parser.feed(GET[10:])

    assert held == (10 if released else len(POST) + 10)
    assert parser.complete
    assert parser.error is None


@pytest.mark.parametrize("endless", [b"GET /", b"GET / HTTP/1.1\r\nA: ", b"GET / HTTP/1.1\r\n"], ids=repr)
def test_a_head_that_never_ends_is_refused(parser: RequestParser, endless: bytes) -> None:
    more = b"A: b\r\n" * 100 if endless.endswith(b"\n") else b"a" * 600
    parser.feed(endless)
    for _ in range(40):
        if parser.error is None:
            parser.feed(more)

    assert parser.error is not None
    assert parser.error.status in {414, 431}


def test_what_follows_a_refusal_is_thrown_away(parser: RequestParser) -> None:
    parser.feed(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n60\r\n" + b"a" * 0x60 + b"\r\n")
    held = parser.held
    for _ in range(10):
        parser.feed(b"60\r\n" + b"a" * 0x60 + b"\r\n")

    assert parser.error is not None
    assert parser.held <= held


def test_a_request_holds_its_head_and_its_body_until_the_next_one(parser: RequestParser) -> None:
    held = [parser.held]
    for data in (POST[:20], POST[20:-5], POST[-5:-1], POST[-1:]):
        parser.feed(data)
        held.append(parser.held)
    parser.next()
    held.append(parser.held)

    assert held == [0, 20, len(POST) - 5, len(POST) - 1, len(POST), 0]


def test_a_request_that_is_released_holds_nothing(parser: RequestParser) -> None:
    parser.feed(POST[:-1])
    missing = parser.missing
    parser.release()
    parser.release()

    assert (missing, parser.missing) == (1, 0)
    assert parser.held == 0


def test_continue_is_asked_for_once(parser: RequestParser) -> None:
    parser.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n")

    assert parser.wants_continue()
    assert not parser.wants_continue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(POST[:-5], id="not expected"),
        pytest.param(POST.replace(b"X-Two: 1", b"Expect: 100-continue"), id="the body is there already"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n", id="refused"
        ),
    ],
)
def test_continue_is_not_said_where_it_helps_nobody(parser: RequestParser, data: bytes) -> None:
    parser.feed(data)

    assert not parser.wants_continue()


@pytest.mark.parametrize(
    ("head", "stays"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", False),
        (b"GET / HTTP/1.0\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_the_connection_stays_open_as_the_client_asks(parser: RequestParser, head: bytes, stays: bool) -> None:
    parser.feed(head + b"\r\n")

    assert parser.complete
    assert parser.is_persistent is stays


def test_a_request_that_could_not_be_parsed_still_has_an_environment(parser: RequestParser) -> None:
    parser.feed(b"\xff\xfe\r\n\r\n")

    environ = parser.environ()

    assert environ["PATH_INFO"].startswith("/")
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"


def test_bytes_beyond_ascii_in_the_query_are_escaped(parser: RequestParser) -> None:
    parser.feed(b"GET /summary?model=\xffa\xc3\xa9&x=%41 HTTP/1.1\r\nHost: a\r\n\r\n")

    assert parser.environ()["QUERY_STRING"] == "model=%FFa%C3%A9&x=%41"


def test_many_small_chunks_take_no_more_memory_than_one_large_one() -> None:
    parser = RequestParser(max_body_bytes=1 << 20)
    parser.feed(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    tracemalloc.start()

    for _ in range(100):
        parser.feed(b"1\r\nx\r\n" * 1000)

    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 200_000


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("data", [GET, POST, CHUNKED, POST[:-1], b"GET / HTTP/3\r\n\r\n", GET + CHUNKED])
@pytest.mark.usefixtures("no_garbage_collection")
def test_a_parser_is_freed_without_garbage_collection(data: bytes) -> None:
    parser = RequestParser(max_body_bytes=100)
    parser.feed(data)
    parser.environ()
    reference = weakref.ref(parser)

    del parser

    assert reference() is None
