"""The workers' scoreboard: a few numbers in memory that all processes share, one row a worker.

It is made before the fork. Each worker writes only its own row, the master what concerns all, and every number is one
aligned machine word, so no lock is needed.
"""

import mmap
import time
from collections.abc import Callable
from enum import Enum, StrEnum, auto
from typing import Generic, TypeVar

from service.ipc.current_requests import CurrentRequests

SLOTS = 256  # a reload runs old and new workers side by side, and SIGTTIN can add some
MASTER = SLOTS  # the master's row, where one is counted for every process
_COLUMNS = 3
_PID, _CONNECTIONS, _HEARTBEAT = range(_COLUMNS)
_CLAIMED = -1  # while a worker starts
# Cells beside the rows: when all stop, who shares the sockets, failing starts, how many rows were ever claimed.
_END, _SHARED, _FAILING, _ROWS = range(4)


Kind = TypeVar("Kind", bound=Enum)


class ExitCause(StrEnum):
    """Why a worker exited unexpectedly, as the metric `convserve_worker_deaths_total` has it."""

    SIGNAL = "signal"  # a crash, or killed from outside
    EXIT = "exit"  # by itself, as after an exception
    TIMEOUT = "timeout"  # the master killed it, for want of a heartbeat
    MEMORY = "memory"  # the kernel killed it, for want of memory


class StartFailure(StrEnum):
    """Why a worker could not be started, as the metric `convserve_worker_start_failures_total` has it."""

    FORK = "fork"  # the system has no process, memory or file for it
    BOOT = "boot"  # it ended before it served
    SLOT = "slot"  # there is no free row on the scoreboard


class NoFreeSlot(RuntimeError):
    """All rows of the scoreboard are taken."""


class Stream(Enum):
    """The standard streams that lines are written to."""

    OUT = auto()
    ERR = auto()


class CloseReason(StrEnum):
    """Why a connection was closed that its client had not finished, as `convserve_connections_closed_total` has it."""

    HEAD_TIMEOUT = "head_timeout"
    READ_TIMEOUT = "read_timeout"
    WRITE_TIMEOUT = "write_timeout"  # the client did not read the response
    ROOM = "room"  # for others: connections, file descriptors or memory were short


class Scoreboard:
    """Rows of (process id, open connections, last heartbeat).

    The process id is 0 where the row is free, and negative for a worker that leaves.
    """

    def __init__(self) -> None:
        self._cells = _words(SLOTS * _COLUMNS)
        self._of_all = _words(4)
        self._exits = _Counts(ExitCause)
        self._dropped_lines = _Counts(Stream, SLOTS + 1)
        self._slow_requests = _words(SLOTS)
        self.requests = CurrentRequests(SLOTS)
        self._start_failures = _Counts(StartFailure)
        self._closed = _Counts(CloseReason, SLOTS)

    def claim(self) -> int:
        """Take the first free row for a worker that is about to be forked, its first heartbeat is now.

        Raises NoFreeSlot when all are taken.
        """
        for slot in range(SLOTS):
            if self._cells[slot * _COLUMNS + _PID] == 0:
                self._of_all[_ROWS] = max(self._of_all[_ROWS], slot + 1)
                self._set(slot, _PID, _CLAIMED)
                self._set(slot, _CONNECTIONS, 0)
                self.requests.note(slot)(0.0, b"")
                self.beat(slot)
                return slot
        raise NoFreeSlot(f"more than {SLOTS} workers at once")

    def enter(self, slot: int, pid: int) -> None:
        """Say which process a claimed row belongs to, from when on it takes connections. This is a heartbeat, too."""
        self.beat(slot)
        self._set(slot, _PID, pid)

    def leave(self, slot: int) -> None:
        """Say that a worker takes no more connections; its row stays its own until it is gone."""
        self._set(slot, _PID, -abs(self._cells[slot * _COLUMNS + _PID]))

    def release(self, slot: int) -> None:
        """Free the row of a worker that is gone."""
        self._set(slot, _PID, 0)

    def workers(self) -> dict[int, int]:
        """Process ids of the workers that take connections, by slot."""
        return {slot: pid for slot, pid in enumerate(self._pids()) if pid > 0}

    def is_leaving(self, slot: int) -> bool:
        """Whether a worker has said that it leaves."""
        return self._cells[slot * _COLUMNS + _PID] < _CLAIMED

    def starting(self) -> set[int]:
        """Slots of the workers that do not take connections yet."""
        return {slot for slot, pid in enumerate(self._pids()) if pid == _CLAIMED}

    def beat(self, slot: int, ahead: float = 0.0) -> None:
        """Say that a worker is alive, by a clock that is the same in all processes and that nobody sets.

        `ahead` is the seconds that it will be busy with one piece of work, in which it need not say so again.
        """
        self._set(slot, _HEARTBEAT, time.monotonic_ns() + int(ahead * 1e9))

    def last_beat(self, slot: int) -> float:
        """When a worker last said that it is alive, in monotonic seconds."""
        return self._cells[slot * _COLUMNS + _HEARTBEAT] / 1e9

    def count_exit(self, cause: ExitCause) -> None:
        """Count a worker that exited unexpectedly."""
        self._exits.add(cause)

    def exits(self) -> dict[ExitCause, int]:
        """How many workers exited unexpectedly, by cause."""
        return self._exits.totals()

    def dropped_line_counter(self, row: int, stream: Stream) -> Callable[[int], None]:
        """What counts lines of a stream that the process of this row could not write."""
        return lambda lines: self._dropped_lines.add(stream, row, lines)

    def dropped_lines(self) -> int:
        """How many lines of standard output and standard error all processes have dropped."""
        return sum(self._dropped_lines.totals().values())

    def count_slow_request(self, slot: int) -> None:
        """Count a request that takes long."""
        self._slow_requests[slot] += 1

    def slow_requests(self) -> int:
        """How many requests took long, those that ended their worker included."""
        return sum(self._slow_requests.tolist())

    def count_start_failure(self, cause: StartFailure) -> None:
        """Count a worker that could not be started; from now on starts fail."""
        self._start_failures.add(cause)
        self._of_all[_FAILING] = 1 + list(StartFailure).index(cause)

    def end_start_failures(self) -> None:
        """Say that starts succeed again."""
        self._of_all[_FAILING] = 0

    @property
    def failing_start(self) -> StartFailure | None:
        """Why the last worker could not be started, None where one has been since."""
        failing = self._of_all[_FAILING]
        return list(StartFailure)[failing - 1] if failing else None

    def start_failures(self) -> dict[StartFailure, int]:
        """How many workers could not be started, by cause."""
        return self._start_failures.totals()

    def share_sockets(self) -> None:
        """Say that other services use the listening sockets, too."""
        self._of_all[_SHARED] = True

    def count_closed(self, slot: int, reason: CloseReason) -> None:
        """Count a connection that a worker has closed before its client was done."""
        self._closed.add(reason, slot)

    def closed(self) -> dict[CloseReason, int]:
        """How many connections were closed before their clients were done, by reason, by workers that are gone, too."""
        return self._closed.totals()

    def announce_shutdown(self, at: float, shared: bool) -> None:
        """Say once for all workers when to stop listening (monotonic seconds), and whether others share the sockets."""
        if not self._of_all[_END]:
            self._of_all[_SHARED] |= shared
            self._of_all[_END] = max(1, int(at * 1e9))

    def is_shutting_down(self) -> bool:
        """Whether the end is announced: from then on the service is not ready."""
        return self._of_all[_END] != 0

    def seconds_left(self) -> float:
        """Seconds until the service stops listening; infinity where no end is announced."""
        return self._of_all[_END] / 1e9 - time.monotonic() if self.is_shutting_down() else float("inf")

    @property
    def shared(self) -> bool:
        """Whether other services use the listening sockets, too, so that they must stay as they are."""
        return bool(self._of_all[_SHARED])

    def set_connections(self, slot: int, count: int) -> None:
        """Publish how many connections a worker holds."""
        self._set(slot, _CONNECTIONS, count)

    def should_yield(self, slot: int) -> bool:
        """Whether another worker holds fewer connections, and so should take the next one."""
        own = self._cells[slot * _COLUMNS + _CONNECTIONS]
        limit = own - own // 32  # with hundreds of them a small difference is none
        cells = self._cells[: self._of_all[_ROWS] * _COLUMNS].tolist()
        return any(
            pid > 0 and count < limit
            for pid, count in zip(cells[_PID::_COLUMNS], cells[_CONNECTIONS::_COLUMNS], strict=True)
        )

    def _pids(self) -> list[int]:
        pids: list[int] = self._cells[_PID::_COLUMNS].tolist()
        return pids

    def _set(self, slot: int, column: int, value: int) -> None:
        self._cells[slot * _COLUMNS + column] = value


class _Counts(Generic[Kind]):
    """How often each of some kinds happened; every process that counts has a row of its own."""

    def __init__(self, kinds: type[Kind], rows: int = 1) -> None:
        self._kinds = list(kinds)
        self._cells = _words(rows * len(self._kinds))

    def add(self, kind: Kind, row: int = 0, number: int = 1) -> None:
        self._cells[row * len(self._kinds) + self._kinds.index(kind)] += number

    def totals(self) -> dict[Kind, int]:
        return {kind: sum(self._cells[place :: len(self._kinds)]) for place, kind in enumerate(self._kinds)}


def _words(cells: int) -> memoryview:
    """So many machine words, all 0, that are shared with every process forked afterwards."""
    return memoryview(mmap.mmap(-1, cells * 8)).cast("q")
