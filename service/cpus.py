"""How many CPUs this process may really use: the cgroup's quota, not the host's cores.

A container limited to 2 CPUs on a host of 64 must not start 64 workers.
"""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_cpus(cgroup: Path = CGROUP) -> int:
    """CPUs that the scheduler and the cgroup's quota (v2, then v1) leave to this process, at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota_v2(cgroup) or _quota_v1(cgroup) or allowed
    return max(1, min(allowed, math.floor(quota)))


def _quota_v2(cgroup: Path) -> float | None:
    """`cpu.max` holds "<quota µs> <period µs>", or "max <period>" where nothing limits."""
    words = _read(cgroup / "cpu.max").split()
    return _ratio(*words) if len(words) == 2 else None


def _quota_v1(cgroup: Path) -> float | None:
    """`cpu.cfs_quota_us` is -1 where nothing limits."""
    return _ratio(_read(cgroup / "cpu/cpu.cfs_quota_us"), _read(cgroup / "cpu/cpu.cfs_period_us"))


def _ratio(quota: str, period: str) -> float | None:
    limited = quota.isdigit() and period.isdigit() and int(period) > 0
    return int(quota) / int(period) if limited else None


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
