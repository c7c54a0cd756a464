"""The strict reading of JSON: converters, and records whose members are absent, null, unknown or nested."""

import dataclasses
import json
from typing import Any

import pytest

from modelrepo.errors import InvalidMetadata
from modelrepo.strict_json import (
    Converter,
    any_array,
    any_object,
    any_text,
    array,
    boolean,
    choice,
    file_path,
    integer,
    json_object,
    mapping,
    member,
    number,
    parse_json,
    record,
    sizes,
    text,
)


@json_object
class Point:
    """A record to read."""

    x: int = member(integer(0))
    name: str | None = member(text, default=None)


def error_of(converter: Converter[Any], value: Any, path: str = "a.b") -> tuple[str, str]:
    """The path and the problem that a converter names."""
    with pytest.raises(InvalidMetadata) as raised:
        converter(value, path)
    return raised.value.field, raised.value.problem


@pytest.mark.parametrize(
    ("converter", "value", "expected"),
    [
        pytest.param(text, "a", "a", id="text"),
        pytest.param(any_text, "", "", id="empty text"),
        pytest.param(file_path, "golden/00.png", "golden/00.png", id="path"),
        pytest.param(integer(1), 1, 1, id="integer"),
        pytest.param(integer(1, 9), 9, 9, id="the largest integer"),
        pytest.param(number, 1, 1.0, id="whole number"),
        pytest.param(boolean, False, False, id="false"),
        pytest.param(choice(("a", "b")), "b", "b", id="choice"),
        pytest.param(array(number), [1, 0.5], (1.0, 0.5), id="array"),
        pytest.param(any_array, [1, "a"], [1, "a"], id="array of anything"),
        pytest.param(sizes, [None, 0, 3], (None, 0, 3), id="sizes"),
        pytest.param(any_object, {"a": []}, {"a": []}, id="object of anything"),
        pytest.param(mapping(integer(0)), {"a": 1, "": 0}, {"a": 1, "": 0}, id="mapping"),
        pytest.param(record(Point), {"x": 1, "name": "a"}, Point(1, "a"), id="record"),
    ],
)
def test_a_value_that_is_allowed_is_read(converter: Converter[Any], value: Any, expected: Any) -> None:
    read = converter(value, "a.b")

    assert (read, type(read)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("converter", "value", "path", "problem"),
    [
        pytest.param(text, "", "a.b", "must be a text that is not empty, not a text", id="empty text"),
        pytest.param(any_text, None, "a.b", "must be a text, not null", id="null for a text"),
        pytest.param(file_path, "a/../b", "a.b", "must be a path inside the bundle", id="path that leaves"),
        pytest.param(integer(1), True, "a.b", "must be an integer of at least 1, not True", id="true for an integer"),
        pytest.param(integer(1), 1.0, "a.b", "must be an integer of at least 1, not 1.0", id="fraction"),
        pytest.param(integer(1, 9), 10, "a.b", "must be at most 9, not 10", id="too large"),
        pytest.param(number, 10**400, "a.b", f"must be a finite number, not {10**400}", id="beyond every float"),
        pytest.param(number, True, "a.b", "must be a finite number, not True", id="true for a number"),
        pytest.param(boolean, 0, "a.b", "must be true or false, not 0", id="0 for false"),
        pytest.param(choice(("a", "b")), "c", "a.b", "must be one of a, b, not 'c'", id="no choice"),
        pytest.param(any_array, "ab", "a.b", "must be an array, not a text", id="text for an array"),
        pytest.param(array(text), ["a", 1], "a.b[1]", "must be a text that is not empty, not a number", id="an item"),
        pytest.param(sizes, [1, -1], "a.b[1]", "must be a size or null, not -1", id="negative size"),
        pytest.param(mapping(text), [], "a.b", "must be an object, not an array", id="array for a mapping"),
        pytest.param(mapping(text), {"c": 1}, "a.b.c", "must be a text that is not empty, not a number", id="in it"),
        pytest.param(mapping(text, file_path), {"/c": ""}, "a.b./c", "must be a path inside the bundle", id="its key"),
        pytest.param(record(Point), True, "a.b", "must be an object, not a boolean", id="boolean for a record"),
        pytest.param(record(Point), {}, "a.b.x", "is missing", id="absent member"),
        pytest.param(record(Point), {"x": None}, "a.b.x", "must be an integer of at least 0, not None", id="null"),
        pytest.param(
            array(record(Point)), [{"x": -1}], "a.b[0].x", "must be an integer of at least 0, not -1", id="in both"
        ),
    ],
)
def test_any_other_value_is_an_error_at_its_path(
    converter: Converter[Any], value: Any, path: str, problem: str
) -> None:
    assert error_of(converter, value) == (path, problem)


def test_the_document_itself_has_a_name_in_errors_and_its_members_no_prefix() -> None:
    assert error_of(record(Point), [], "")[0] == "(document)"
    assert error_of(record(Point), {}, "")[0] == "x"
    assert error_of(mapping(text), {"a": 1}, "")[0] == "a"


@pytest.mark.parametrize("document", [{"x": 1}, {"x": 1, "name": None}, {"x": 1, "later": True}], ids=str)
def test_a_member_that_is_absent_or_null_takes_its_default_and_unknown_ones_are_ignored(document: Any) -> None:
    assert record(Point)(document, "") == Point(1, None)
    assert record(Point, {"name": "b"})(document, "") == Point(1, "b")


def test_a_default_that_only_the_reader_has_is_taken_too() -> None:
    assert record(Point, {"x": 7})({"x": None}, "") == Point(7)


def test_unknown_members_are_an_error_where_only_known_ones_are_allowed() -> None:
    strict = record(Point, only_known=True)

    assert error_of(strict, {"x": -1, "y": 2}) == ("a.b.y", "is not known here; known are x, name")


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Point(1).x = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("document", "error"),
    [
        pytest.param("{", ValueError, id="no JSON"),
        pytest.param('"\\ud800"', ValueError, id="half of a surrogate pair"),
        pytest.param("[" * 100_000, RecursionError, id="nested without end"),
        pytest.param("[" * 33 + "]" * 33, RecursionError, id="nested too deep"),
        pytest.param('{"a": ' * 33 + "1" + "}" * 33, RecursionError, id="objects nested too deep"),
        pytest.param("[" + "1," * 100_000 + "1]", ValueError, id="too many values"),
        pytest.param('{"a": 1, "a": 2}', ValueError, id="a name twice"),
        pytest.param("[NaN]", ValueError, id="NaN"),
        pytest.param("[-Infinity]", ValueError, id="infinity"),
        pytest.param("9" * 501, ValueError, id="an integer without end"),
        pytest.param("9" * 5000, ValueError, id="an integer that Python does not read"),
    ],
)
def test_text_that_no_response_could_hold_is_no_document(document: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_json(document)


@pytest.mark.parametrize("document", ["1", '"a"', "null", "[" * 32 + "]" * 32, '"\\ud83d\\ude00"', "1e999"])
def test_every_other_text_is_a_document(document: str) -> None:
    assert parse_json(document) == json.loads(document)


@pytest.mark.parametrize("value", ["x" * 10**6, 10**4000, ["x"] * 10**6, {"x": 10**4000}], ids=lambda _: "large")
@pytest.mark.parametrize("converter", [integer(1), number, boolean, choice(("a", "b")), sizes, text, any_object])
def test_no_sentence_is_as_long_as_a_wrong_value(converter: Converter[Any], value: Any) -> None:
    sentence = ""
    try:
        converter(value, "x" * 10**6)
    except InvalidMetadata as error:
        sentence = str(error)

    assert len(sentence) < 1000


@pytest.mark.parametrize("name", ["", ".", "./a", "a//b", "a/", "a/../b", "..", "/a", "a\0b"])
def test_a_path_that_is_not_the_shortest_one_inside_the_bundle_is_refused(name: str) -> None:
    with pytest.raises(InvalidMetadata):
        file_path(name, "files")
