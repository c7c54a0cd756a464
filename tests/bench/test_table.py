"""Tables."""

import pytest

from bench.table import layout, number


def test_columns_are_as_wide_as_their_widest_cell_and_numbers_stand_to_the_right() -> None:
    assert layout(("n", "images/s"), [("1", "2349"), ("32", "4947")]).splitlines() == [
        "|  n | images/s |",
        "| -: | -------: |",
        "|  1 |     2349 |",
        "| 32 |     4947 |",
    ]


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        pytest.param(372.4, 0, "372", id="whole"),
        pytest.param(0.417, 2, "0.42", id="decimals"),
        pytest.param(None, 2, "–", id="nothing measured"),
    ],
)
def test_figures_are_rounded_and_gaps_are_shown(value: float | None, digits: int, text: str) -> None:
    assert number(value, digits) == text
