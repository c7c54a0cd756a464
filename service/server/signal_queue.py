"""The signals that wait for the master's main loop: those that end it first, each kind once, and never too many."""

import queue
import signal
from collections.abc import Callable

ENDS = (signal.SIGQUIT, signal.SIGINT, signal.SIGTERM)  # the most urgent first; none of them is ever dropped
REPEATED = (signal.SIGTTIN, signal.SIGTTOU)  # each one counts
MOST_SIGNALS = 100  # beyond which others are dropped: while a reload lasts, nothing takes them


class SignalQueue:
    """What the arbiter uses of a `queue.SimpleQueue`; `put_nowait` may be called by a signal handler."""

    def __init__(self, next_attempt: Callable[[], float]) -> None:
        """`next_attempt` gives the seconds after which the main loop is wanted, whether or not there is a signal."""
        self._arrived: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._next_attempt = next_attempt
        self._sorted: list[int] = []

    def put_nowait(self, number: int) -> None:
        """Add a signal."""
        if number in ENDS or self._arrived.qsize() < MOST_SIGNALS:
            self._arrived.put_nowait(number)

    def get(self, block: bool = True, timeout: float = 1.0) -> int:
        """The most urgent signal, for which this waits at most `timeout` seconds; raises `queue.Empty`."""
        if not self._sorted and block:
            self._sorted = [self._arrived.get(timeout=max(0.0, min(timeout, self._next_attempt())))]
        return self.get_nowait()

    def get_nowait(self) -> int:
        """The most urgent signal; raises `queue.Empty`."""
        signals = self._sorted + [self._arrived.get_nowait() for _ in range(self._arrived.qsize())]
        if not signals:
            raise queue.Empty
        once = dict.fromkeys([*(number for number in ENDS if number in signals), *signals])
        for number in REPEATED:
            once.pop(number, None)
        first, *self._sorted = [*once, *(number for number in signals if number in REPEATED)]
        return int(first)
