"""The workers' scoreboard: rows are claimed, used by one worker, and free again."""

import os
import time

import pytest

from service.ipc.scoreboard import SLOTS, CloseReason, ExitCause, Scoreboard


def claimed(scoreboard: Scoreboard, *pids: int) -> list[int]:
    """Slots of workers that run."""
    slots = [scoreboard.claim() for _ in pids]
    for slot, pid in zip(slots, pids, strict=True):
        scoreboard.enter(slot, pid)
    return slots


def test_workers_get_different_slots() -> None:
    scoreboard = Scoreboard()

    assert claimed(scoreboard, 11, 12, 13) == [0, 1, 2]
    assert scoreboard.workers() == {0: 11, 1: 12, 2: 13}


def test_a_slot_is_used_again_after_its_worker_is_gone() -> None:
    scoreboard = Scoreboard()
    claimed(scoreboard, 11, 12, 13)

    scoreboard.release(1)

    assert scoreboard.workers() == {0: 11, 2: 13}
    assert scoreboard.claim() == 1


def test_a_worker_that_starts_or_ends_keeps_its_slot_and_is_not_counted() -> None:
    scoreboard = Scoreboard()
    starting, ending = scoreboard.claim(), scoreboard.claim()
    scoreboard.enter(ending, 12)
    scoreboard.leave(ending)

    assert scoreboard.workers() == {}
    assert scoreboard.claim() not in {starting, ending}


def test_who_starts_is_told_from_who_leaves() -> None:
    scoreboard = Scoreboard()
    starting, leaving, serving = (scoreboard.claim() for _ in range(3))
    scoreboard.enter(leaving, 12)
    scoreboard.enter(serving, 13)
    scoreboard.leave(leaving)

    assert scoreboard.starting() == {starting}
    assert [scoreboard.is_leaving(slot) for slot in (starting, leaving, serving)] == [False, True, False]
    assert scoreboard.workers() == {serving: 13}


def test_deaths_stay_counted_when_the_row_is_free_again() -> None:
    scoreboard = Scoreboard()
    (slot,) = claimed(scoreboard, 11)
    scoreboard.count_exit(ExitCause.SIGNAL)
    scoreboard.release(slot)

    assert scoreboard.exits() == {ExitCause.SIGNAL: 1, ExitCause.EXIT: 0, ExitCause.TIMEOUT: 0, ExitCause.MEMORY: 0}


@pytest.mark.parametrize("shared", [True, False])
def test_the_end_is_announced_once(shared: bool) -> None:
    scoreboard = Scoreboard()
    before = scoreboard.is_shutting_down(), scoreboard.seconds_left()
    scoreboard.announce_shutdown(time.monotonic() + 5, shared)
    scoreboard.announce_shutdown(time.monotonic() + 60, not shared)

    assert before == (False, float("inf"))
    assert (scoreboard.is_shutting_down(), scoreboard.shared) == (True, shared)
    assert 0 < scoreboard.seconds_left() <= 5


def test_who_holds_more_connections_than_another_yields() -> None:
    scoreboard = Scoreboard()
    busy, free = claimed(scoreboard, 11, 12)
    scoreboard.set_connections(busy, 2)
    scoreboard.set_connections(free, 1)

    assert scoreboard.should_yield(busy)
    assert not scoreboard.should_yield(free)


def test_hundreds_of_connections_need_not_be_spread_exactly() -> None:
    scoreboard = Scoreboard()
    busy, free = claimed(scoreboard, 11, 12)
    scoreboard.set_connections(busy, 320)
    yields = []
    for others in (310, 309):
        scoreboard.set_connections(free, others)
        yields.append(scoreboard.should_yield(busy))

    assert yields == [False, True]


def test_closed_connections_are_counted_over_all_workers_also_those_that_are_gone() -> None:
    scoreboard = Scoreboard()
    first, second = claimed(scoreboard, 11, 12)
    scoreboard.count_closed(first, CloseReason.ROOM)
    scoreboard.count_closed(second, CloseReason.ROOM)
    scoreboard.count_closed(second, CloseReason.HEAD_TIMEOUT)
    scoreboard.release(second)

    assert scoreboard.closed() == {
        CloseReason.HEAD_TIMEOUT: 1,
        CloseReason.READ_TIMEOUT: 0,
        CloseReason.WRITE_TIMEOUT: 0,
        CloseReason.ROOM: 2,
    }


def test_nobody_yields_to_an_equal_or_to_one_that_is_gone() -> None:
    scoreboard = Scoreboard()
    first, second = claimed(scoreboard, 11, 12)
    scoreboard.set_connections(first, 2)
    scoreboard.set_connections(second, 2)
    assert not scoreboard.should_yield(first)

    scoreboard.set_connections(second, 0)
    scoreboard.release(second)

    assert not scoreboard.should_yield(first)


def test_a_new_worker_starts_with_no_connections() -> None:
    scoreboard = Scoreboard()
    first, second = claimed(scoreboard, 11, 12)
    scoreboard.set_connections(first, 1)
    scoreboard.set_connections(second, 5)
    scoreboard.release(second)

    claimed(scoreboard, 13)

    assert scoreboard.should_yield(first)


def test_more_workers_than_slots_are_refused() -> None:
    scoreboard = Scoreboard()
    claimed(scoreboard, *range(1, SLOTS + 1))

    with pytest.raises(RuntimeError, match="workers at once"):
        scoreboard.claim()


def test_a_child_process_writes_where_its_parent_reads() -> None:
    scoreboard = Scoreboard()
    slot = scoreboard.claim()
    child = os.fork()
    if child == 0:
        scoreboard.enter(slot, os.getpid())
        os._exit(0)

    os.waitpid(child, 0)

    assert scoreboard.workers() == {slot: child}
