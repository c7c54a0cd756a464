"""Whole numbers in texts: only ASCII digits count, and only within the bounds."""

import pytest

from modelrepo.repository import LAST_VERSION
from service.errors import InvalidRequest
from service.protocols.common import parse_count, parse_version


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("10", 10), ("007", 7)])
def test_digits_within_the_bounds_are_a_number(text: str, number: int) -> None:
    assert parse_count(text, 1, 10) == number


@pytest.mark.parametrize("text", ["0", "11", "-1", "+1", "1.0", " 1", "", "x", "٣", "²", "1_0", "0x1", "9" * 5000])
def test_any_other_text_is_none(text: str) -> None:
    assert parse_count(text, 1, 10) is None


def test_a_version_that_is_not_named_is_none() -> None:
    assert parse_version(None) is None
    assert parse_version(str(LAST_VERSION)) == LAST_VERSION


def test_where_version_0_is_the_default_one_it_names_none() -> None:
    assert parse_version("0", least=0) is None
    assert parse_version("7", least=0) == 7
    with pytest.raises(InvalidRequest, match="from 1 to"):
        parse_version("-1", least=0)


@pytest.mark.parametrize("text", ["0", "-1", "latest", str(LAST_VERSION + 1)])
def test_a_version_is_a_whole_number_from_1_to_the_last(text: str) -> None:
    with pytest.raises(InvalidRequest, match=f"a version is a whole number from 1 to {LAST_VERSION}, not '{text}'"):
        parse_version(text)
