"""A real control group with a limit of memory, as a container has one; it needs the right to make control groups."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.attacks.processes import descendants

VERSION_1, VERSION_2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class MemoryGroup:
    """A control group of the memory controller, of version 1 or 2."""

    folder: Path
    is_second: bool

    def add(self, pid: int) -> None:
        """Move a process and all its descendants into the group; later ones are born in it."""
        for each in [pid, *descendants(pid)]:
            with suppress(ProcessLookupError):
                (self.folder / "cgroup.procs").write_text(str(each))

    @property
    def peak(self) -> int:
        """Bytes that all processes of the group had together at most, the cache of their files included."""
        return int((self.folder / ("memory.peak" if self.is_second else "memory.max_usage_in_bytes")).read_text())

    @property
    def kills(self) -> int:
        """How many processes were killed for want of memory."""
        lines = (self.folder / ("memory.events" if self.is_second else "memory.oom_control")).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


@contextmanager
def memory_group(limit: int) -> Iterator[MemoryGroup]:
    """A group whose processes may have so many bytes; the test is skipped where none can be made."""
    is_second = not VERSION_1.exists()
    parent = VERSION_2 if is_second else VERSION_1
    folder = parent / f"convserve-test-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / ("memory.max" if is_second else "memory.limit_in_bytes")).write_text(str(limit))
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        pytest.skip("control groups of memory are not allowed here")
    group = MemoryGroup(folder, is_second)
    try:
        yield group
    finally:
        for pid in (folder / "cgroup.procs").read_text().split():
            with suppress(OSError):
                (parent / "cgroup.procs").write_text(pid)
        with suppress(OSError):
            folder.rmdir()
