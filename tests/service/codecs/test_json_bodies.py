"""JSON from clients: what RFC 8259 allows is read, and all else is rejected with the place where it ends."""

import tracemalloc
from typing import Any

import orjson
import pytest

from service.codecs.json_bodies import looks_like_json, parse_json
from service.codecs.limits import MAX_JSON_NODES
from service.errors import InvalidRequest, TooLarge


def lists(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def objects(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize(
    ("content", "value"),
    [
        pytest.param('{"a": [1, 2.5, "ü", true, null]}'.encode(), {"a": [1, 2.5, "ü", True, None]}, id="all kinds"),
        pytest.param(b" \t\r\n7\n", 7, id="spaces around"),
        pytest.param(b"\xef\xbb\xbf{}", {}, id="byte order mark"),
        pytest.param(b'"\\u00fc\\ud83d\\ude00\\u0000"', "ü😀\0", id="escapes"),
        pytest.param(b'{"a": 1, "b": 2, "a": 3}', {"a": 3, "b": 2}, id="of duplicates the last"),
        pytest.param(b"18446744073709551615", 2**64 - 1, id="64 bits"),
        pytest.param(b"1e-999", 0.0, id="too small a number"),
    ],
)
def test_json_is_read(content: bytes, value: Any) -> None:
    assert parse_json(content) == value


@pytest.mark.parametrize("nested", [lists, objects])
def test_nesting_is_read_as_deep_as_1024(nested: Any) -> None:
    value, depth = parse_json(nested(1024)), 0
    while isinstance(value, list | dict):
        value, depth = next(iter(value.values() if isinstance(value, dict) else value), None), depth + 1

    assert depth == 1024


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"NaN", id="NaN"),
        pytest.param(b'{"a": [NaN]}', id="NaN within"),
        pytest.param(b"Infinity", id="infinity"),
        pytest.param(b"-Infinity", id="negative infinity"),
        pytest.param(b"1e999", id="too large a number"),
        pytest.param(b"9" * 5000, id="5,000 digits"),
        pytest.param(b"{}\xef\xbb\xbf", id="a byte order mark at the end"),
        pytest.param(b'"\xff"', id="not UTF-8"),
        pytest.param(b'"\\ud800"', id="half a surrogate"),
        pytest.param(b'"\n"', id="control character"),
        pytest.param(lists(1025), id="1,025 lists"),
        pytest.param(objects(1025), id="1,025 objects"),
        pytest.param(b"[" * 1_000_000, id="lists without end"),
        pytest.param(b'{"a": ', id="cut short"),
        pytest.param(b"{} {}", id="two values"),
        pytest.param(b"[1,]", id="comma at the end"),
        pytest.param(b"[1, 'a']", id="single quotes"),
        pytest.param(b"[1] // one", id="comment"),
        pytest.param(b"01", id="leading zero"),
    ],
)
def test_what_is_no_json_is_rejected_with_the_place(content: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^the body is not valid JSON .*: line \d+ column \d+"):
        parse_json(content)


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["without a mark", "with a mark"])
@pytest.mark.parametrize("coding", ["UTF-16-LE", "UTF-16-BE", "UTF-32-LE", "UTF-32-BE"])
def test_json_in_another_encoding_is_an_error_that_names_it(coding: str, mark: str) -> None:
    content = f'{mark}{{"image": "ü"}}'.encode(coding)

    assert looks_like_json(content)
    with pytest.raises(InvalidRequest, match=f"not valid JSON: it is {coding[:6]}, and JSON is UTF-8"):
        parse_json(content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{'image': 'iVBO'}", "which has double quotes: write it with json.dumps or JSON.stringify"),
        (b"[object FormData]", "is what JavaScript writes for an object: use JSON.stringify"),
    ],
)
def test_an_error_about_what_a_language_prints_says_what_to_use(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        parse_json(content)


def test_an_error_about_nan_says_that_json_has_none() -> None:
    with pytest.raises(InvalidRequest, match="NaN and Infinity are not JSON"):
        parse_json(b"[NaN]")


@pytest.mark.parametrize("content", [b"", b" \n\t "], ids=["empty", "only spaces"])
def test_an_empty_body_is_an_error_that_says_so(content: bytes) -> None:
    with pytest.raises(InvalidRequest, match="the body is empty"):
        parse_json(content)


@pytest.mark.parametrize("node", [b"[]", b"{}", b'""', b"[[[0]]]"])
def test_millions_of_lists_objects_and_texts_are_rejected_before_they_are_made(node: bytes) -> None:
    content = b"[" + b",".join([node] * (MAX_JSON_NODES + 1)) + b"]"
    tracemalloc.start()

    with pytest.raises(TooLarge, match="more than 1500000 lists, objects and texts"):
        parse_json(content)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_photographs_as_lists_are_not_too_many() -> None:
    photograph = orjson.dumps([[[255, 255, 255]] * 224] * 224)
    content = b"[" + b",".join([photograph] * 23) + b"]"

    assert len(content) < 16 << 20
    assert len(parse_json(content)) == 23
