"""How a worker exited: the cause that is counted, and the words for the log."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from service.ipc.scoreboard import ExitCause

CGROUPS, OWN_CGROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
MEMORY_SECONDS = 5.0  # from when the kernel counts that it kills a process until the process is gone
MOST = 1000  # kills between two looks
_REASONS = {
    ExitCause.TIMEOUT: ", stopped by the master for want of a heartbeat",
    ExitCause.MEMORY: ", by the kernel for want of memory",
}


def exit_cause(code: int, timed_out: bool, leaving: bool, out_of_memory: bool = False) -> ExitCause | None:
    """The cause of a worker's exit, None where it had been told to stop.

    `code` is as of os.waitstatus_to_exitcode: an exit status, or a signal's number below zero. `timed_out` is whether
    the master has killed it for want of a heartbeat, `leaving` whether it had said on the scoreboard that it leaves,
    `out_of_memory` whether the kernel has just killed for want of memory.
    """
    if timed_out:
        return ExitCause.TIMEOUT
    if code == -signal.SIGKILL and out_of_memory:
        return ExitCause.MEMORY
    if code < 0:  # SIGTERM kills only a worker that is starting; later it makes a worker leave
        return None if code == -signal.SIGTERM else ExitCause.SIGNAL
    return None if code == 0 and leaving else ExitCause.EXIT


def describe_exit(code: int, cause: ExitCause | None = None) -> str:
    """A worker's exit in words, for the log; `code` as for `exit_cause`."""
    how = f"exit status {code}" if code >= 0 else f"signal {-code} ({signal.strsignal(-code)})"
    return how + _REASONS.get(cause, "") if cause else how


def exited_children() -> Iterator[tuple[int, int]]:
    """Process ids and wait statuses of the children that have exited; those of process 1 include orphans."""
    with suppress(ChildProcessError):  # there is no child at all
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            yield ended


class OutOfMemory:
    """The kernel's count of processes that it killed for want of memory in this process's control group."""

    def __init__(
        self, cgroups: Path = CGROUPS, own: Path = OWN_CGROUP, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file = next((file for file in _counters(cgroups, own) if _oom_kills(file) is not None), None)
        self._clock = clock
        self._count = self._read()
        self._kills: list[float] = []  # when the last ones were seen, but for those of workers

    def update(self) -> None:
        """Look at the count; where there is no control group, there is none."""
        now, count = self._clock(), self._read()
        self._kills = [at for at in self._kills if now - at < MEMORY_SECONDS] + [now] * min(count - self._count, MOST)
        self._count = count

    def take(self) -> bool:
        """Whether such a kill was in the last seconds. It is taken for the one of the worker that has just ended."""
        self.update()
        return bool(self._kills and self._kills.pop(0))

    def _read(self) -> int:
        return (self._file and _oom_kills(self._file)) or 0


def _counters(cgroups: Path, own: Path) -> list[Path]:
    """Where the count may be, the own group first: as seen from outside of a container, then from inside."""
    groups = [line.split(":", 2) for line in _read(own).splitlines() if line.count(":") >= 2]
    v2 = [path.lstrip("/") for _, controllers, path in groups if not controllers]
    v1 = [path.lstrip("/") for _, controllers, path in groups if "memory" in controllers.split(",")]
    return [
        *(cgroups / "memory" / path / "memory.oom_control" for path in [*v1, ""]),
        *(cgroups / path / "memory.events" for path in [*v2, ""]),
    ]


def _oom_kills(file: Path) -> int | None:
    """The line `oom_kill <count>` of a file; None where there is none."""
    words = [line.split() for line in _read(file).splitlines()]
    return next((int(line[1]) for line in words if len(line) == 2 and line[0] == "oom_kill"), None)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
