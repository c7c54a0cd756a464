"""What the server's parser accepts, llhttp, which is independent of it, reads as the same request with the same end."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

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
class LlhttpRequest:
    """What llhttp reads."""

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


def read_by_llhttp(data: bytes) -> tuple[str, LlhttpRequest]:
    """The method and the rest of a request; raises HttpParserError."""
    request = LlhttpRequest()
    parser = httptools.HttpRequestParser(request)
    parser.feed_data(data)
    return parser.get_method().decode(), request


def is_comparable(request: bytes, environ: dict[str, Any]) -> bool:
    """Whether llhttp knows the method, reads a body in spite of `Upgrade`, and takes the bytes of the target."""
    is_upgrade = "upgrade" in environ.get("HTTP_CONNECTION", "").lower()
    return environ["REQUEST_METHOD"] in METHODS and not is_upgrade and request.partition(b"\r\n")[0].isascii()


def agree(data: bytes) -> bool:
    """Compare what both parsers read; False where ours accepts nothing, or they cannot be compared."""
    read = first_request(data)
    if read is None or not is_comparable(*read):
        return False
    request, environ = read
    method, theirs = read_by_llhttp(request)
    assert theirs.complete
    assert not read_by_llhttp(request[:-1])[1].complete
    assert (method, theirs.body) == (environ["REQUEST_METHOD"], environ["wsgi.input"].read())
    assert theirs.target.endswith(environ["QUERY_STRING"].encode())
    for name, value in theirs.headers if "HTTP_TRANSFER_ENCODING" not in environ else ():  # else there may be trailers
        ours = environ.get(name if name == "CONTENT_TYPE" else f"HTTP_{name}", "")
        assert value in ours or "_" in name or name == "CONTENT_LENGTH"
    return True


def framed(random: Random) -> bytes:
    """A request with one mutation of its framing."""
    return pick(random, FRAMINGS)(pick(random, CORPUS), random)


@pytest.mark.parametrize("seed", range(4), ids="seed {}".format)
def test_a_request_that_is_accepted_is_the_same_to_another_parser(seed: int) -> None:
    random = np.random.default_rng(seed)
    compared = sum(agree(framed(random)) + agree(mutant(CORPUS, seed, number).data) for number in range(COUNT))

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
