"""The order in which the master's main loop gets signals, however many arrive."""

import queue
import signal
import time
from signal import SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTTIN, SIGTTOU, SIGUSR1

import pytest

from service.server.arbiter import MOST_SIGNALS, SignalQueue


def filled(*signals: signal.Signals) -> SignalQueue:
    waiting = SignalQueue(lambda: float("inf"))
    for number in signals:
        waiting.put_nowait(number)
    return waiting


def taken(waiting: SignalQueue) -> list[int]:
    """All that is there, as gunicorn's main loop takes it."""
    signals = [waiting.get(timeout=0.01)]
    while True:
        try:
            signals.append(waiting.get_nowait())
        except queue.Empty:
            return signals


@pytest.mark.parametrize("end", [SIGTERM, SIGINT, SIGQUIT], ids=lambda number: number.name)
def test_an_end_comes_first_and_is_never_dropped(end: signal.Signals) -> None:
    waiting = filled(*[SIGTTIN] * (10 * MOST_SIGNALS), SIGHUP, SIGCHLD, end)

    assert taken(waiting)[0] == end


def test_the_more_urgent_end_comes_first() -> None:
    assert taken(filled(SIGTERM, SIGINT))[0] == SIGINT


def test_each_kind_comes_once_in_order() -> None:
    assert taken(filled(*[SIGHUP, SIGCHLD] * 20, SIGUSR1)) == [SIGHUP, SIGCHLD, SIGUSR1]


def test_each_change_of_the_number_of_workers_counts() -> None:
    assert taken(filled(SIGTTIN, SIGHUP, SIGTTIN, SIGTTOU)) == [SIGHUP, SIGTTIN, SIGTTIN, SIGTTOU]


def test_too_many_are_dropped() -> None:
    assert len(taken(filled(*[SIGTTIN] * (10 * MOST_SIGNALS)))) == MOST_SIGNALS


def test_what_arrives_meanwhile_is_seen() -> None:
    waiting = filled(SIGHUP, SIGCHLD)
    first = waiting.get()
    waiting.put_nowait(SIGTERM)

    assert [first, *taken(waiting)] == [SIGHUP, SIGTERM, SIGCHLD]


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_it_waits_no_longer_than_until_the_next_attempt(seconds: float) -> None:
    begun = time.monotonic()
    with pytest.raises(queue.Empty):
        SignalQueue(lambda: seconds).get(timeout=10)

    assert time.monotonic() - begun < 1
