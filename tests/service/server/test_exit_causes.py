"""Which ends of a worker count as deaths, and as which."""

import signal

import pytest

from service.ipc.scoreboard import ExitCause
from service.server.exit_causes import describe_exit, exit_cause


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
