"""A process whose forks fail with EAGAIN, as where a limit of processes is reached."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

GROUPS = (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup"))  # of version 1 and 2
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@contextmanager
def failing_forks(pid: int) -> Iterator[None]:
    """The forks of a process fail as long as the block lasts; a limit of the user does not hold for root."""
    if os.geteuid():
        before = resource.prlimit(pid, resource.RLIMIT_NPROC, (1, resource.prlimit(pid, resource.RLIMIT_NPROC)[1]))
        yield
        resource.prlimit(pid, resource.RLIMIT_NPROC, before)
        return
    group = _group(pid)
    home = group.parent
    try:
        (group / "cgroup.procs").write_text(str(pid))
        (group / "pids.max").write_text("1")
        yield
    finally:
        (group / "pids.max").write_text("max")
        (home / "cgroup.procs").write_text(str(pid))
        group.rmdir()


def _group(pid: int) -> Path:
    """A new control group that may limit processes; the test is skipped where there is none."""
    for parent in GROUPS:
        group = parent / f"convserve-test-{pid}"
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / "pids.max").exists():
            return group
        group.rmdir()
    pytest.skip("control groups of processes are not allowed here")
