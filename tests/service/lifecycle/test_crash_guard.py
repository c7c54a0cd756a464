"""A bundle that crashes the process which loads it is not loaded any more after two crashes, by any worker."""

import subprocess
import sys
from pathlib import Path

import pytest

from service.lifecycle.crash_guard import CrashGuard
from tests.support.processes.service import ROOT

CRASH = """
import os, sys
from pathlib import Path
from service.lifecycle.crash_guard import CrashGuard
with CrashGuard(Path(sys.argv[1])).loading(*sys.argv[2:]) as allowed:
    os._exit(1 if allowed else 0)
"""


def crash(folder: Path, bundle: str, digest: str) -> None:
    """Load a bundle in a process of its own, which does not survive it."""
    process = subprocess.run([sys.executable, "-c", CRASH, folder, bundle, digest], cwd=ROOT, check=False)
    assert process.returncode == 1


def allowed(folder: Path, bundle: str, digest: str) -> bool:
    with CrashGuard(folder).loading(bundle, digest) as may:
        return may


def test_what_was_loaded_without_a_crash_may_be_loaded_again(tmp_path: Path) -> None:
    assert [allowed(tmp_path, "mnist/1", "a") for _ in range(3)] == [True] * 3


def test_one_crash_can_be_chance(tmp_path: Path) -> None:
    crash(tmp_path, "mnist/1", "a")

    assert allowed(tmp_path, "mnist/1", "a")


@pytest.mark.parametrize(
    ("bundle", "digest", "expected"),
    [
        pytest.param("mnist/1", "a", False, id="the same files"),
        pytest.param("mnist/1", "b", True, id="other files"),
        pytest.param("mnist/2", "a", True, id="another version"),
    ],
)
def test_two_crashes_are_enough(tmp_path: Path, bundle: str, digest: str, expected: bool) -> None:
    crash(tmp_path, "mnist/1", "a")
    crash(tmp_path, "mnist/1", "a")

    assert allowed(tmp_path, bundle, digest) is expected


def test_what_is_safe_need_not_wait_for_another_first_load(tmp_path: Path) -> None:
    allowed(tmp_path, "mnist/1", "a")

    with CrashGuard(tmp_path).loading("mnist/2", "a"):
        assert allowed(tmp_path, "mnist/1", "a")


def test_an_error_is_no_crash(tmp_path: Path) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), CrashGuard(tmp_path).loading("mnist/1", "a"):
            raise ZeroDivisionError

    assert allowed(tmp_path, "mnist/1", "a")
