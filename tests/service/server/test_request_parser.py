"""A request while it arrives: the same whatever pieces it comes in, and bounded whatever is sent."""

import tracemalloc

import pytest

from service.server.request_parser import MAX_HEADER_BYTES, MAX_HEADERS, MAX_REQUEST_LINE, RequestParser

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
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "malformed_request", id="negative length"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n", "malformed_request", id="length no number"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n", "malformed_request", id="length with a sign"),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "malformed_request", id="two lengths"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "malformed_request",
            id="length and chunks",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "malformed_request", id="coded twice"
        ),
        pytest.param(b"POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n", "malformed_request", id="identity"),
        pytest.param(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
            "malformed_request",
            id="two codings",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "malformed_request",
            id="chunk size no number",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n",
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
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", "too_large", id="length over the limit"),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
            "malformed_request",
            id="length of no machine",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + b"a" * 101 + b"\r\n0\r\n\r\n",
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
    assert parser.held == held


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
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n", id="refused"),
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
