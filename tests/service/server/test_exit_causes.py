"""Which ends of a worker count as deaths, and as which."""

import signal
from pathlib import Path

import pytest

from service.ipc.scoreboard import ExitCause
from service.server.exit_causes import MEMORY_SECONDS, OutOfMemory, describe_exit, exit_cause


@pytest.mark.parametrize(
    ("code", "overdue", "leaving", "cause"),
    [
        pytest.param(0, False, True, None, id="told to leave"),
        pytest.param(-signal.SIGTERM, False, False, None, id="told to leave before it could listen to that"),
        pytest.param(-signal.SIGKILL, False, False, ExitCause.SIGNAL, id="killed"),
        pytest.param(-signal.SIGKILL, False, True, ExitCause.SIGNAL, id="killed while it left"),
        pytest.param(-signal.SIGSEGV, False, False, ExitCause.SIGNAL, id="crashed"),
        pytest.param(3, False, False, ExitCause.EXIT, id="could not start"),
        pytest.param(255, False, True, ExitCause.EXIT, id="failed while it left"),
        pytest.param(0, False, False, ExitCause.EXIT, id="left without a word"),
        pytest.param(1, True, False, ExitCause.TIMEOUT, id="aborted by the master"),
        pytest.param(-signal.SIGKILL, True, False, ExitCause.TIMEOUT, id="killed by the master"),
        pytest.param(-signal.SIGKILL, True, True, ExitCause.TIMEOUT, id="killed by the master as it would not leave"),
    ],
)
def test_the_cause_follows_from_status_and_circumstances(
    code: int, overdue: bool, leaving: bool, cause: ExitCause | None
) -> None:
    assert exit_cause(code, overdue, leaving) is cause


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (3, "exit status 3"),
        (-signal.SIGSEGV, "signal 11 (Segmentation fault)"),
        (-signal.SIGKILL, "signal 9 (Killed)"),
        (-signal.SIGRTMAX, "signal 64 (Real-time signal 30)"),
    ],
    ids=["exit", "crash", "killed", "without a name"],
)
def test_the_log_says_how_a_worker_ended(code: int, words: str) -> None:
    assert describe_exit(code) == words


@pytest.mark.parametrize(
    ("code", "timed_out", "leaving", "cause"),
    [
        (-signal.SIGKILL, False, False, ExitCause.MEMORY),
        (-signal.SIGKILL, False, True, ExitCause.MEMORY),
        (-signal.SIGKILL, True, False, ExitCause.TIMEOUT),
        (-signal.SIGSEGV, False, False, ExitCause.SIGNAL),
        (0, False, True, None),
        (3, False, False, ExitCause.EXIT),
    ],
    ids=["killed", "killed while it left", "killed by the master", "crashed", "left", "could not start"],
)
def test_only_what_the_kernel_can_have_killed_died_of_memory(
    code: int, timed_out: bool, leaving: bool, cause: ExitCause | None
) -> None:
    assert exit_cause(code, timed_out, leaving, out_of_memory=True) is cause


@pytest.mark.parametrize(
    ("code", "cause", "words"),
    [
        (-9, ExitCause.MEMORY, "signal 9 (Killed), by the kernel for want of memory"),
        (1, ExitCause.TIMEOUT, "exit status 1, stopped by the master for want of a heartbeat"),
        (-9, ExitCause.SIGNAL, "signal 9 (Killed)"),
        (3, ExitCause.EXIT, "exit status 3"),
    ],
    ids=["memory", "timeout", "signal", "exit"],
)
def test_the_log_says_of_which_cause(code: int, cause: ExitCause, words: str) -> None:
    assert describe_exit(code, cause) == words


class Kernel:
    """A control group whose counter and clock the test sets."""

    def __init__(self, root: Path, own: str, file: str, text: str) -> None:
        self.now = 100.0
        self._file, self._text = root / "cgroup" / file, text
        self._file.parent.mkdir(parents=True)
        self.set(7)
        (root / "own").write_text(own)
        self.memory = OutOfMemory(root / "cgroup", root / "own", lambda: self.now)

    def set(self, count: int) -> None:
        self._file.write_text(self._text.format(count))


V2 = "low 0\nhigh 0\nmax 12\noom 3\noom_kill {}\noom_group_kill 0\n"
V1 = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"


@pytest.mark.parametrize(
    ("own", "file", "text"),
    [
        ("0::/system.slice/convserve.service\n", "system.slice/convserve.service/memory.events", V2),
        ("0::/\n", "memory.events", V2),
        ("4:memory:/docker/abc\n0::/\n", "memory/docker/abc/memory.oom_control", V1),
        ("4:memory:/docker/abc\n3:cpu:/\n", "memory/memory.oom_control", V1),
    ],
    ids=["v2", "v2 in a container", "v1", "v1 in a container"],
)
def test_each_rise_of_the_control_groups_count_is_one_worker(tmp_path: Path, own: str, file: str, text: str) -> None:
    kernel = Kernel(tmp_path, own, file, text)
    before = kernel.memory.take()
    kernel.set(9)

    assert (before, [kernel.memory.take() for _ in range(3)]) == (False, [True, True, False])


@pytest.mark.parametrize(("seconds", "taken"), [(MEMORY_SECONDS - 1, True), (MEMORY_SECONDS + 1, False)])
def test_a_kill_of_another_process_is_soon_forgotten(tmp_path: Path, seconds: float, taken: bool) -> None:
    kernel = Kernel(tmp_path, "0::/\n", "memory.events", V2)
    kernel.set(8)
    kernel.memory.update()
    kernel.now += seconds

    assert kernel.memory.take() is taken


def test_without_a_control_group_no_death_is_for_want_of_memory(tmp_path: Path) -> None:
    assert not OutOfMemory(tmp_path, tmp_path / "none").take()
