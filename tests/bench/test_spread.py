"""How connections spread."""

from bench.spread import spread_table, worst_share


def test_the_worst_trial_is_what_counts() -> None:
    assert worst_share([(16, 16), (24, 8), (17, 15)]) == 0.75


def test_equal_outcomes_are_listed_once() -> None:
    table = spread_table({"all at once": [(17, 15), (16, 16), (16, 16)]})

    assert "16:16 ×2, 17:15 ×1" in table
    assert "53%" in table
