"""A service whose output nobody reads, or can be written, serves on and counts the lines that are missing."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.http.raw_client import RawConnection, send_request
from tests.support.processes.pipes import drain
from tests.support.processes.service import ROOT, free_port, until

LONG = b"GET /" + b"a" * 3500 + b" HTTP/1.1\r\nHost: h\r\n\r\n"  # a line of the access log of 3.7 kB
REQUESTS = 600  # a pipe holds a megabyte at most


@contextmanager
def served(models: Path, stdout: int, stderr: int, closed: bool = False) -> Iterator[int]:
    """The port of a ready service of one worker with these streams."""
    port = free_port()
    foreign = {name for name in os.environ if name.startswith(("CONVSERVE_", "PROMETHEUS_"))}
    settings = {"MODELS": models, "PORT": port, "WORKERS": 1, "DRAIN_DELAY": 0, "DRAIN_TIMEOUT": 0}
    env = {name: value for name, value in os.environ.items() if name not in foreign}
    env |= {f"CONVSERVE_{name}": str(value) for name, value in settings.items()}
    command = [*(("sh", "-c", 'exec "$@" >&- 2>&-', "sh") if closed else ()), sys.executable, "-m", "service"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=stdout, stderr=stderr)
    try:
        until(lambda: _is_ready(port), "the service is ready")
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def _is_ready(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return send_request(port, "GET", "/readyz", b"").status == 200
    return False


def _dropped(port: int) -> float:
    text = send_request(port, "GET", "/metrics", b"").body.decode()
    sample = re.search(r"^convserve_log_lines_dropped_total (\S+)$", text, re.MULTILINE)
    assert sample
    return float(sample[1])


def _warnings(port: int) -> Mapping[str, str]:
    found: Mapping[str, str] = send_request(port, "GET", "/readyz", b"").json().get("warnings", {})
    return found


def _send_many(port: int) -> float:
    """Send many requests with long paths; returns the seconds of the slowest."""
    slowest = 0.0
    with RawConnection(port) as connection:
        for _ in range(REQUESTS):
            began = time.monotonic()
            connection.send(LONG)
            assert connection.response().status == 404
            slowest = max(slowest, time.monotonic() - began)
    return slowest


def test_a_reader_that_is_stuck_stops_nobody_and_learns_what_it_missed(models: Path) -> None:
    read_end, write_end = os.pipe()
    with served(models, write_end, write_end) as port:
        slowest = _send_many(port)
        dropped = _dropped(port)
        until(lambda: "standard output" in _warnings(port), "it is warned of")
        text = drain(read_end)
        until(lambda: not _warnings(port), "it is in order again")
        text += drain(read_end)
    os.close(read_end)
    os.close(write_end)

    assert slowest < 1
    assert 0 < dropped < REQUESTS
    assert all(json.loads(line)["status"] for line in text.splitlines() if line.startswith(b"{"))
    assert re.search(rb"\[WARNING\] \d+ lines of standard output were dropped", text)


@pytest.mark.parametrize("kind", ["socket", "terminal"])
def test_a_journal_or_terminal_that_is_stuck_stops_nobody(models: Path, kind: str) -> None:
    ends = [end.detach() for end in socket.socketpair()] if kind == "socket" else pty.openpty()
    with served(models, ends[1], ends[1]) as port:
        assert _send_many(port) < 1
        assert _dropped(port) > 0
        drain(ends[0])
        until(lambda: not _warnings(port), "it is in order again")
    for end in ends:
        os.close(end)


@pytest.mark.parametrize("case", ["no reader", "closed", "full disk"])
def test_output_that_cannot_be_written_is_counted(models: Path, case: str) -> None:
    read_end, write_end = os.pipe()
    full = os.open("/dev/full", os.O_WRONLY)
    target = full if case == "full disk" else write_end
    os.close(read_end)

    with served(models, target, target, closed=case == "closed") as port:
        assert _send_many(port) < 1
        assert _dropped(port) >= REQUESTS
    os.close(write_end)
    os.close(full)
