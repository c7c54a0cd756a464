"""Comparisons take a small share of the time, and a smaller one the longer each piece takes."""

import pytest

from service.inference.shadow_queue import MAX_MEAN_DELAY, MAX_SHARE, DutyCycle


@pytest.mark.parametrize("work", [0.0, 0.0002, 0.004, 0.02, 1.0])
def test_neither_the_share_of_the_time_nor_the_mean_delay_is_exceeded(work: float) -> None:
    duty = DutyCycle()
    for _ in range(2):
        duty.account(100.0, 100.0 + work)
    cycle = duty.rest_until - 100.0

    assert work <= MAX_SHARE * cycle + 1e-9
    assert work * work / 2 <= MAX_MEAN_DELAY * cycle + 1e-9


def test_after_short_work_the_rest_is_as_short_as_the_share_allows() -> None:
    duty = DutyCycle()
    duty.account(0.0, 0.0002)

    assert duty.rest_until == pytest.approx(0.004)


def test_after_long_work_the_rest_is_longer_than_the_share_alone_would_ask() -> None:
    duty = DutyCycle()
    duty.account(0.0, 0.02)
    duty.account(1.0, 1.02)

    assert duty.rest_until == pytest.approx(3.0)


def test_one_piece_that_was_held_up_is_no_reason_for_a_long_rest() -> None:
    duty = DutyCycle()
    duty.account(0.0, 0.0002)
    duty.account(1.0, 1.1)

    assert duty.rest_until == pytest.approx(3.0)
