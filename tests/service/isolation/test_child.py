import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.isolation.child import ROOT, ChildExit, ChildLimits, ChildProcess
from service.isolation.messages import MessageSocket
from tests.support.processes.service import until

MODULE = "tests.service.isolation.echo_child"
LIMITS = ChildLimits(memory=256 << 20)


@pytest.fixture
def child() -> Iterator[ChildProcess]:
    child = ChildProcess(MODULE, LIMITS, ("one", "two"))
    yield child
    child.kill()
    child.join()


def test_a_child_answers_with_what_it_was_sent_and_its_arguments(child: ChildProcess) -> None:
    channel = MessageSocket(child.socket)
    content = os.urandom(3_000_000)

    channel.send({"order": "echo", "number": 1}, [content[:1000], content[1000:]])
    answer = channel.receive()

    assert answer is not None
    assert answer.members == {"order": "echo", "number": 1, "arguments": ["one", "two"]}
    assert answer.content == content
    assert child.poll() is None


def test_a_child_ends_when_its_socket_is_closed(child: ChildProcess) -> None:
    channel = MessageSocket(child.socket)
    channel.send({"order": "echo"})
    channel.receive()

    assert child.join() is ChildExit.DONE


@pytest.mark.parametrize(
    ("order", "exit_"),
    [
        ({"order": "abort"}, ChildExit.CRASH),
        ({"order": "allocate", "bytes": 400 << 20}, ChildExit.MEMORY),
        ({"order": "exit", "status": 3}, ChildExit.ERROR),
        ({"order": "spin", "seconds": 0.2}, ChildExit.CPU),
    ],
)
def test_the_cause_of_an_exit_is_known(child: ChildProcess, order: dict[str, object], exit_: ChildExit) -> None:
    channel = MessageSocket(child.socket)

    channel.send(order)

    assert channel.receive() is None
    assert child.join() is exit_


def test_a_killed_child_closes_its_socket_and_says_that_its_parent_did_it(child: ChildProcess) -> None:
    channel = MessageSocket(child.socket)
    channel.send({"order": "sleep"})

    child.kill()

    assert channel.receive() is None
    assert child.join() is ChildExit.KILLED


def test_a_signal_from_elsewhere_is_told_apart_from_a_kill_of_the_parent(child: ChildProcess) -> None:
    os.kill(child.pid, signal.SIGKILL)

    assert MessageSocket(child.socket).receive() is None
    assert child.join() is ChildExit.SIGNAL


def test_a_child_that_does_not_go_is_killed(child: ChildProcess) -> None:
    MessageSocket(child.socket).send({"order": "sleep"})

    assert child.join(0.1) in (ChildExit.KILLED, ChildExit.ERROR)


def test_memory_within_the_limit_can_be_used(child: ChildProcess) -> None:
    channel = MessageSocket(child.socket)

    channel.send({"order": "allocate", "bytes": 100 << 20})
    answer = channel.receive()

    assert answer is not None
    assert answer.members == {"allocated": 100 << 20}


def test_what_a_library_writes_reaches_nobody(capfd: pytest.CaptureFixture[str], child: ChildProcess) -> None:
    channel = MessageSocket(child.socket)

    channel.send({"order": "write"})

    assert channel.receive() is not None
    assert capfd.readouterr() == ("", "")


def test_a_child_dies_with_its_parent() -> None:
    script = textwrap.dedent(f"""
        import os, time
        from service.isolation.child import ChildLimits, ChildProcess
        from service.isolation.messages import MessageSocket
        child = ChildProcess({MODULE!r}, ChildLimits(memory=256 << 20))
        channel = MessageSocket(child.socket)
        channel.send({{"order": "echo"}})
        channel.receive()
        channel.send({{"order": "spin", "seconds": 60}})
        print(child.pid, flush=True)
        time.sleep(60)
    """)
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())

    parent.kill()
    parent.wait()
    parent.stdout.close()

    until(lambda: not _runs(pid), "the child is gone")


def test_a_child_runs_behind_its_parent(child: ChildProcess) -> None:
    channel = MessageSocket(child.socket)
    channel.send({"order": "echo"})
    channel.receive()

    assert os.getpriority(os.PRIO_PROCESS, child.pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + LIMITS.nice)


def test_a_start_that_fails_leaves_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    before = len(list(Path("/proc/self/fd").iterdir()))

    with pytest.raises(OSError, match="nonexistent"):
        ChildProcess(MODULE, LIMITS)

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def _runs(pid: int) -> bool:
    """Whether the process runs; one that is dead and not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_starting_a_child_does_not_hold_up_its_parent() -> None:
    began = time.perf_counter()
    child = ChildProcess(MODULE, LIMITS)
    seconds = time.perf_counter() - began
    child.join()

    assert seconds < 0.2
