"""How a worker can end that nobody asked to end."""

import signal
from enum import StrEnum


class Death(StrEnum):
    """The cause, as the metric `convserve_worker_deaths_total` has it."""

    SIGNAL = "signal"  # a crash, or killed from outside, for memory for instance
    EXIT = "exit"  # it left by itself, as after an exception
    TIMEOUT = "timeout"  # the master killed it, for it gave no sign of life


def death(code: int, overdue: bool, leaving: bool) -> Death | None:
    """The cause of a worker's end, None where it had been told to end.

    `code` is as of os.waitstatus_to_exitcode: an exit status, or a signal's number below zero. `overdue` is whether the
    master has killed it for its silence, `leaving` whether it had said that it leaves.
    """
    if overdue:
        return Death.TIMEOUT
    if code < 0:  # SIGTERM kills only who is starting; later it makes a worker leave
        return None if code == -signal.SIGTERM else Death.SIGNAL
    return None if code == 0 and leaving else Death.EXIT


def describe(code: int) -> str:
    """A worker's end in words, for the log."""
    if code >= 0:
        return f"exit status {code}"
    hint = ", perhaps for want of memory" if code == -signal.SIGKILL else ""
    return f"signal {-code} ({signal.strsignal(-code)}){hint}"
