"""The balance of connections over workers."""

from bench.connection_balance import balance_table, largest_share


def test_the_largest_share_is_that_of_the_least_even_trial() -> None:
    assert largest_share([(16, 16), (24, 8), (17, 15)]) == 0.75


def test_equal_outcomes_are_listed_once() -> None:
    table = balance_table({"all at once": [(17, 15), (16, 16), (16, 16)]})

    assert "16:16 ×2, 17:15 ×1" in table
    assert "53%" in table
