"""CPUs by the cgroup's quota: what a container may use, not what its host has."""

import os
from pathlib import Path

import pytest

from service.cpus import usable_cpus

AFFINITY = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "cpus"),
    [
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("150000 100000", 1),
        ("200000 100000", min(2, AFFINITY)),
        ("6400000 100000", AFFINITY),
        ("max 100000", AFFINITY),
        ("", AFFINITY),
        ("nonsense", AFFINITY),
        ("100000 0", AFFINITY),
    ],
)
def test_the_quota_of_cgroup_v2(tmp_path: Path, quota: str, cpus: int) -> None:
    (tmp_path / "cpu.max").write_text(quota + "\n")

    assert usable_cpus(tmp_path) == cpus


@pytest.mark.parametrize(("quota", "cpus"), [("100000", 1), ("50000", 1), ("6400000", AFFINITY), ("-1", AFFINITY)])
def test_the_quota_of_cgroup_v1(tmp_path: Path, quota: str, cpus: int) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota + "\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")

    assert usable_cpus(tmp_path) == cpus


def test_without_a_cgroup_the_schedulers_cpus_count(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path / "nowhere") == AFFINITY
