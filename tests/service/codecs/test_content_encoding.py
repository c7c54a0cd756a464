"""Compressed bodies in both directions, and hostile ones."""

import gzip
import tracemalloc
import zlib

import pytest

from service.codecs.content_encoding import deflate, inflate
from service.errors import InvalidRequest, TooLarge, UnsupportedEncoding

TEXT = b"pixels " * 1000


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        pytest.param("gzip", gzip.compress(TEXT), id="gzip"),
        pytest.param("deflate", zlib.compress(TEXT), id="deflate"),
        pytest.param("gzip", gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:]), id="gzip in two streams"),
    ],
)
def test_a_body_is_read_as_it_was(coding: str, content: bytes) -> None:
    assert inflate(content, coding, len(TEXT)) == TEXT


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_is_written_can_be_read(coding: str) -> None:
    content = deflate(TEXT, coding)

    assert len(content) < len(TEXT) / 10
    assert inflate(content, coding, len(TEXT)) == TEXT


@pytest.mark.parametrize(
    ("coding", "content", "kind", "sentence"),
    [
        pytest.param("br", b"", UnsupportedEncoding, "send gzip, deflate, or the body as it is", id="unknown"),
        pytest.param("gzip", TEXT, InvalidRequest, "the body is not gzip", id="not compressed"),
        pytest.param("deflate", gzip.compress(TEXT), InvalidRequest, "the body is not deflate", id="the other one"),
        pytest.param("gzip", gzip.compress(TEXT)[:-9], InvalidRequest, "cut short", id="cut short"),
        pytest.param("gzip", gzip.compress(TEXT) + b"more", InvalidRequest, "the body is not gzip", id="junk behind"),
        pytest.param("deflate", zlib.compress(TEXT) * 2, InvalidRequest, "something follows the end", id="two streams"),
        pytest.param("gzip", gzip.compress(b"") * 1025, InvalidRequest, "something follows the end", id="many streams"),
        pytest.param(
            "gzip", gzip.compress(TEXT + b"!"), TooLarge, "decompresses to more than 7000 bytes", id="too large"
        ),
        pytest.param(
            "gzip", gzip.compress(TEXT) * 2, TooLarge, "decompresses to more than 7000", id="too large together"
        ),
    ],
)
def test_a_bad_body_is_rejected(coding: str, content: bytes, kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        inflate(content, coding, len(TEXT))


def test_a_decompression_bomb_stops_at_the_limit() -> None:
    bomb = gzip.compress(bytes(100 << 20))
    tracemalloc.start()

    with pytest.raises(TooLarge):
        inflate(bomb, "gzip", 1 << 20)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_many_streams_in_one_body_are_not_worked_through(coding: str) -> None:
    empty = deflate(b"", coding)

    with pytest.raises(InvalidRequest, match="something follows the end"):  # before minutes are gone
        inflate(empty * ((16 << 20) // len(empty)), coding, 1 << 20)


def test_an_empty_body_stays_empty() -> None:
    assert inflate(b"", "gzip", 10) == b""
