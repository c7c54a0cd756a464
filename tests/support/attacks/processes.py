"""Memory of the processes of a service, as Linux counts it."""

import re
from contextlib import suppress
from pathlib import Path

from tests.support.processes.service import children

MEGABYTE = 1 << 20


def resident(pid: int) -> int:
    """Bytes of memory that a process has now, 0 where it is gone."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> int:
    """Bytes of memory that a process had at most since `forget_peak`."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Let the peak begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def descendants(pid: int) -> list[int]:
    """All processes below a process: of a master its workers, and helpers of both."""
    found = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for child in children(pid):
            found += [child, *descendants(child)]
    return found


def unshared(pid: int) -> int:
    """Bytes of memory that a process has now, what it shares with others counted by their number, 0 if it is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        return int(found[1]) << 10 if found else 0
    return 0


def _status(pid: int, name: str) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) << 10 if found else 0
    return 0
