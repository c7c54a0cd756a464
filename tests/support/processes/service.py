"""A real service in its own processes, as an operator starts it."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.support.http.raw_client import Response, send_request

T = TypeVar("T")
ROOT = Path(__file__).parents[3]
START_SECONDS = 30.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.02
WORKER = re.compile(rb'^process_resident_memory_bytes\{worker="\d+"\}', re.MULTILINE)
LISTENING = re.compile(rb"Listening at: http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class RunningService:
    """The process, the port it listens on, and the files of its output."""

    process: "subprocess.Popen[bytes]"
    port: int
    stdout: Path
    stderr: Path

    def get(self, path: str, **headers: str) -> Response:
        """GET over a new connection."""
        return send_request(self.port, "GET", path, b"", **headers)

    def post(self, path: str, body: bytes, **headers: str) -> Response:
        """POST over a new connection."""
        return send_request(self.port, "POST", path, body, **headers)

    def workers(self) -> list[int]:
        """The process ids of the workers that run now."""
        return children(self.process.pid)

    def serving(self) -> int:
        """How many workers accept connections."""
        return len(WORKER.findall(self.get("/metrics").body))

    def reload(self) -> None:
        """Send SIGHUP and wait until there are as many other workers, and only they."""
        old = set(self.workers())
        self.process.send_signal(signal.SIGHUP)
        until(lambda: old.isdisjoint(self.workers()) and len(self.workers()) == len(old), "all workers are new")

    def stop(self) -> int:
        """Send SIGTERM and wait; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@contextmanager
def running(
    models: Path, module: str = "service", /, open_files: int | None = None, **settings: object
) -> Iterator[RunningService]:
    """A service all of whose workers are ready; `workers=2` becomes CONVSERVE_WORKERS=2. No process is left afterwards.

    `open_files` is the limit of file descriptors that it gets, as `ulimit -n` sets it; `module` is what is started.
    """
    chosen = {"workers": 1, **settings}
    with started(models, module, open_files, **chosen) as service:
        until(lambda: service.get("/readyz").status == 200, "the service is ready")
        until(lambda: service.serving() == chosen["workers"], "all workers take connections")
        yield service


@contextmanager
def started(
    models: Path, module: str = "service", /, open_files: int | None = None, **settings: object
) -> Iterator[RunningService]:
    """The same as soon as it listens, ready or not."""
    with tempfile.TemporaryDirectory() as folder:
        stdout, stderr = Path(folder, "stdout"), Path(folder, "stderr")
        chosen = {"models": models, "port": 0, "drain_delay": 0, "drain_timeout": 0, **settings}
        process = start(stdout, stderr, open_files, module, **chosen)
        try:
            yield RunningService(process, _port(process, stderr), stdout, stderr)
        finally:
            _end(process)


@contextmanager
def stopped(worker: int) -> Iterator[Callable[[], None]]:
    """Pause a worker, so that everything sent meanwhile reaches it at once; gives a function that resumes it."""

    def resume() -> None:
        os.kill(worker, signal.SIGCONT)

    os.kill(worker, signal.SIGSTOP)
    until(lambda: Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0] == "T", "it stands still")
    try:
        yield resume
    finally:
        resume()


def start(
    stdout: Path, stderr: Path, open_files: int | None = None, module: str = "service", /, **settings: object
) -> "subprocess.Popen[bytes]":
    """Start `python -m service`, or another module, with these settings and none from the environment of the tests."""
    foreign = ("CONVSERVE_", "PROMETHEUS_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    given = {f"CONVSERVE_{name.upper()}": str(value) for name, value in settings.items()}
    with stdout.open("wb") as out, stderr.open("wb") as err:
        return subprocess.Popen(
            [*_limited(open_files), sys.executable, "-m", module],
            cwd=ROOT,
            env={**inherited, **given},
            stdout=out,
            stderr=err,
            start_new_session=True,
        )


def until(
    condition: Callable[[], T | None], what: str, seconds: float = START_SECONDS, pause: float = POLL_SECONDS
) -> T:
    """Ask every `pause` seconds until the answer is true, and return it; raises TimeoutError after `seconds`.

    What is asserted afterwards belongs into this answer: the next request may reach a worker that is not as far.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} seconds until {what}")
        time.sleep(pause)
    return answer


def everywhere(condition: Callable[[], bool], what: str = "all workers agree", seconds: float = START_SECONDS) -> None:
    """Wait until a condition holds many times in a row, so that all workers have been asked."""
    until(lambda: all(condition() for _ in range(12)), what, seconds)


def free_port() -> int:
    """A free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def children(pid: int) -> list[int]:
    """The process ids of a process's children."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _limited(open_files: int | None) -> list[str]:
    return ["sh", "-c", f'ulimit -n {open_files} && exec "$@"', "sh"] if open_files else []


def _port(process: "subprocess.Popen[bytes]", stderr: Path) -> int:
    until(lambda: process.poll() is not None or bool(LISTENING.search(stderr.read_bytes())), "the service listens")
    found = LISTENING.search(stderr.read_bytes())
    if found is None:
        raise RuntimeError(f"the service did not start:\n{stderr.read_text()}")
    return int(found[1])


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


def refusals(service: RunningService) -> dict[str, str]:
    """What the worker that responds has refused, as `/readyz` says it: a sentence for each bundle or file."""
    sentences: dict[str, str] = service.get("/readyz").json()["refused"]
    return sentences


def read_counts(service: RunningService, metric: str, by: str) -> dict[str, float]:
    """The samples of a metric by the values of one label, those of all other labels added up."""
    found: dict[str, float] = {}
    for name, labels, value in SAMPLE.findall(service.get("/metrics").body.decode()):
        if name == metric:
            key = dict(re.findall(r'(\w+)="([^"]*)"', labels))[by]
            found[key] = found.get(key, 0.0) + float(value)
    return found
