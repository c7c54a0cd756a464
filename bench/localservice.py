"""A service of the benchmark's own: two workers, everything on that is on in production."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from bench.sockets import count_connections
from bench.target import Target

POLL = 0.002  # seconds between looks at /readyz
PATIENCE = 60.0  # seconds until a service that is not ready has failed
SETTLE = 10.0  # seconds for the last worker to follow the first
STOP = 5.0  # seconds for a service without clients to end
HOST = "127.0.0.1"


class ServiceFailed(Exception):
    """The service did not get ready; the text is what it said."""


@contextmanager
def running_service(environment: Mapping[str, str], models: Path, workers: int) -> Iterator[tuple[Target, float]]:
    """Start `python -m service`; gives where it listens and after how many seconds it was ready. Stops it at the end.

    The access log goes to a file. Raises ServiceFailed, with what the service said, where it does not get ready.
    """
    target = Target(HOST, _free_port())
    settings = {
        "HOST": HOST,
        "PORT": str(target.port),
        "MODELS": str(models),
        "WORKERS": str(workers),
        "DRAIN_DELAY": "0",
    }
    own = {f"CONVSERVE_{name}": value for name, value in settings.items()}
    with tempfile.TemporaryFile() as access_log, tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        command = [sys.executable, "-m", "service"]
        process = subprocess.Popen(
            command, env={**environment, **own}, stdout=access_log, stderr=errors, start_new_session=True
        )
        try:
            if not _becomes_ready(target, process, begun + PATIENCE):
                errors.seek(0)
                raise ServiceFailed(f"the service did not get ready:\n{errors.read().decode()[-2000:]}")
            yield target, time.perf_counter() - begun
        finally:
            _stop(process)


def await_workers(target: Target, workers: int) -> None:
    """Wait until every worker has taken a connection: ready means only that one of them is."""
    until = time.monotonic() + SETTLE
    with ExitStack() as stack:
        while len(count_connections(target.port)) < workers and time.monotonic() < until:
            client = stack.enter_context(closing(HTTPConnection(target.host, target.port, timeout=SETTLE)))
            client.request("GET", "/livez")
            client.getresponse().read()
            time.sleep(0.02)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop; what is left of its session after a while is killed, so that nothing runs on unseen."""
    process.terminate()
    try:
        process.wait(STOP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _becomes_ready(target: Target, process: subprocess.Popen[bytes], until: float) -> bool:
    while process.poll() is None and time.perf_counter() < until:
        if is_ready(target):
            return True
        time.sleep(POLL)
    return False


def is_ready(target: Target) -> bool:
    """Whether /readyz answers 200 now."""
    try:
        return target.get("/readyz")[0] == 200
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
