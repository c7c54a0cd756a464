"""The workers' scoreboard: a few numbers in memory that all processes share, one row a worker.

It is made before the fork. Each worker writes only its own row, and every number is one aligned machine word, so
no lock is needed.
"""

import mmap

SLOTS = 256  # a reload runs old and new workers side by side, and SIGTTIN can add some
_COLUMNS = 2
_PID, _CONNECTIONS = range(_COLUMNS)
_CLAIMED = -1  # while a worker starts or ends


class Scoreboard:
    """Rows of (process id, open connections); a row whose process id is 0 is free."""

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, SLOTS * _COLUMNS * 8)).cast("q")

    def claim(self) -> int:
        """Take the first free row for a worker that is about to be forked; raises RuntimeError when all are taken."""
        for slot in range(SLOTS):
            if self._cells[slot * _COLUMNS + _PID] == 0:
                self._set(slot, _PID, _CLAIMED)
                self._set(slot, _CONNECTIONS, 0)
                return slot
        raise RuntimeError(f"more than {SLOTS} workers at once")

    def enter(self, slot: int, pid: int) -> None:
        """Say which process a claimed row belongs to, from when on it takes connections."""
        self._set(slot, _PID, pid)

    def leave(self, slot: int) -> None:
        """Say that a worker takes no more connections; its row stays its own until it is gone."""
        self._set(slot, _PID, _CLAIMED)

    def release(self, slot: int) -> None:
        """Free the row of a worker that is gone."""
        self._set(slot, _PID, 0)

    def workers(self) -> dict[int, int]:
        """Process ids of the workers that take connections, by slot."""
        pids = self._cells[_PID::_COLUMNS].tolist()
        return {slot: pid for slot, pid in enumerate(pids) if pid > 0}

    def set_connections(self, slot: int, count: int) -> None:
        """Publish how many connections a worker holds."""
        self._set(slot, _CONNECTIONS, count)

    def should_yield(self, slot: int) -> bool:
        """Whether another worker holds fewer connections, and so should take the next one."""
        own = self._cells[slot * _COLUMNS + _CONNECTIONS]
        return any(self._cells[other * _COLUMNS + _CONNECTIONS] < own for other in self.workers())

    def _set(self, slot: int, column: int, value: int) -> None:
        self._cells[slot * _COLUMNS + column] = value
