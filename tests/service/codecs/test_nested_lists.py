"""Nested lists of numbers, and what else may stand in their place."""

from typing import Any

import pytest

from service.codecs.json_bodies import read_nested
from service.errors import InvalidArray


@pytest.mark.parametrize(
    ("value", "shape"),
    [([[1, 2], [3, 4]], (2, 2)), ([1.5], (1,)), ([], (0,)), (7, ()), ([[[]]], (1, 1, 0))],
    ids=str,
)
def test_the_array_has_the_shape_of_the_lists(value: Any, shape: tuple[int, ...]) -> None:
    assert read_nested(value, "x").shape == shape


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([[1, 2], [3]], id="ragged"),
        pytest.param([1, [2]], id="number beside a list"),
        pytest.param({"a": 1}, id="object"),
        pytest.param([1, {}], id="object inside"),
        pytest.param("1", id="text"),
        pytest.param(["a" * 1_000_000], id="long text"),
        pytest.param([1, "a"], id="text behind a number"),
        pytest.param([1, "5"], id="number as a text behind a number"),
        pytest.param([1, None], id="null"),
        pytest.param([True], id="boolean"),
        pytest.param([[1], [False]], id="boolean behind a number"),
        pytest.param([10**400], id="more than a double holds"),
    ],
)
def test_anything_else_is_rejected(value: Any) -> None:
    with pytest.raises(InvalidArray, match=r"nothing but numbers|must be nested arrays"):
        read_nested(value, "x")


def test_lists_too_deep_for_any_array_are_rejected() -> None:
    value: Any = 1
    for _ in range(1000):
        value = [value]

    with pytest.raises(InvalidArray, match="must be nested arrays"):
        read_nested(value, "x")


@pytest.mark.parametrize("value", [1e300, -1e-300, 1e5, 0.5])
def test_numbers_in_every_notation_are_numbers(value: float) -> None:
    assert read_nested([value], "x").tolist() == [value]
