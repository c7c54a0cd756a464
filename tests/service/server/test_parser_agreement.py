"""What the server's parser accepts, llhttp and h11, which are independent of it, read as the same request.

That is the same method, target, fields and body, and the same end. They need not agree about what this server accepts
and they refuse; all of that is in `differs_from_llhttp` and `differs_from_h11`, with the reason.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import h11
import httptools
import numpy as np
import pytest

from service.server.request_parser import RequestParser
from tests.support.fuzz.corpus import corpus
from tests.support.fuzz.framing_mutations import FRAMINGS
from tests.support.fuzz.mutations import mutant
from tests.support.fuzz.random_choice import Random, pick

CORPUS = corpus()
METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "M-SEARCH"}  # llhttp has a closed list
COUNT = 600


@dataclass
class OtherRequest:
    """What another parser reads; the callbacks are llhttp's."""

    method: bytes = b""
    target: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    complete: bool = False

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1").upper().replace("-", "_"), value.decode("latin-1").strip(" \t")))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


def parsed(data: bytes) -> RequestParser:
    parser = RequestParser(max_body_bytes=1 << 20)
    parser.feed(data)
    return parser


def first_request(data: bytes) -> tuple[bytes, dict[str, Any]] | None:
    """The bytes of the first request in `data`, and its environment; None where it is not accepted."""
    end = bisect_left(range(len(data) + 1), True, key=lambda size: parsed(data[:size]).complete)
    parser = parsed(data[:end])
    return (data[:end], parser.environ()) if parser.complete else None


def read_by_llhttp(data: bytes) -> OtherRequest:
    """The request as llhttp reads it; raises HttpParserError."""
    request = OtherRequest()
    parser = httptools.HttpRequestParser(request)
    parser.feed_data(data)
    request.method = parser.get_method()
    return request


def read_by_h11(data: bytes) -> OtherRequest:
    """The request as h11 reads it; raises RemoteProtocolError."""
    request = OtherRequest()
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    parser.receive_data(data.lstrip(b"\r\n"))  # it knows nothing of empty lines before a request (RFC 9112, 2.2)
    while (event := parser.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
        match event:
            case h11.Request():
                request.method, request.target = bytes(event.method), bytes(event.target)
                for name, value in event.headers:
                    request.on_header(name, value)
            case h11.Data():
                request.on_body(bytes(event.data))
            case h11.EndOfMessage():
                request.on_message_complete()
    return request


def differs_from_llhttp(request: bytes, environ: dict[str, Any]) -> bool:
    """Its methods are a closed list, it reads no body behind `Upgrade`, and a target has ASCII alone."""
    is_upgrade = "upgrade" in environ.get("HTTP_CONNECTION", "").lower()
    return environ["REQUEST_METHOD"] not in METHODS or is_upgrade or not first_line(request).isascii()


def differs_from_h11(request: bytes, _: dict[str, Any]) -> bool:
    """A target has ASCII alone."""
    return not first_line(request).isascii()


def first_line(request: bytes) -> bytes:
    return request.lstrip(b"\r\n").partition(b"\r\n")[0]


PARSERS: dict[str, tuple[Callable[[bytes], OtherRequest], Callable[[bytes, dict[str, Any]], bool]]] = {
    "llhttp": (read_by_llhttp, differs_from_llhttp),
    "h11": (read_by_h11, differs_from_h11),
}


def agree(data: bytes, other: str) -> bool:
    """Compare what both parsers read; False where ours accepts nothing, or they are known to differ."""
    read_by_other, differs = PARSERS[other]
    read = first_request(data)
    if read is None or differs(*read):
        return False
    request, environ = read
    theirs = read_by_other(request)
    assert theirs.complete
    assert not read_by_other(request[:-1]).complete
    assert (theirs.method.decode(), theirs.body) == (environ["REQUEST_METHOD"], environ["wsgi.input"].read())
    assert theirs.target.endswith(environ["QUERY_STRING"].encode())
    for name, value in theirs.headers if "HTTP_TRANSFER_ENCODING" not in environ else ():  # else there may be trailers
        ours = environ.get(name if name == "CONTENT_TYPE" else f"HTTP_{name}", "")
        assert value in ours or "_" in name or name == "CONTENT_LENGTH"
    return True


def framed(random: Random) -> bytes:
    """A request with one mutation of its framing."""
    return pick(random, FRAMINGS)(pick(random, CORPUS), random)


@pytest.mark.parametrize("other", PARSERS)
@pytest.mark.parametrize("seed", range(2), ids="seed {}".format)
def test_a_request_that_is_accepted_is_the_same_to_another_parser(seed: int, other: str) -> None:
    random = np.random.default_rng(seed)
    compared = sum(
        agree(framed(random), other) + agree(mutant(CORPUS, seed, number).data, other) for number in range(COUNT)
    )

    assert compared > COUNT / 2


@pytest.mark.parametrize("size", [1, 2, 7, 100], ids="{} bytes at a time".format)
def test_a_request_is_accepted_or_not_in_whatever_pieces_it_comes(size: int) -> None:
    random = np.random.default_rng(size)
    for _ in range(100):
        data = framed(random)[:3000]
        whole, pieces = parsed(data), RequestParser(max_body_bytes=1 << 20)
        for start in range(0, len(data), size):
            pieces.feed(data[start : start + size])

        assert (pieces.error is None, pieces.complete) == (whole.error is None, whole.complete), data
        if whole.complete:
            assert pieces.environ()["wsgi.input"].read() == whole.environ()["wsgi.input"].read()
