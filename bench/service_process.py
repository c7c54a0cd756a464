"""The service that a benchmark starts for itself, configured as in production."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from bench.target import Target, count_connections

POLL_INTERVAL = 0.002  # seconds between requests for /readyz
START_TIMEOUT = 60.0  # seconds until a service must be ready
WORKERS_TIMEOUT = 10.0  # seconds for the last worker to become ready after the first
STOP_TIMEOUT = 5.0  # seconds for a service without clients to stop
HOST = "127.0.0.1"


class ServiceNotReady(Exception):
    """The service did not become ready; the text is the end of its stderr."""


@contextmanager
def running_service(environment: Mapping[str, str], models: Path, workers: int) -> Iterator[tuple[Target, float]]:
    """Start `python -m service`, yield its address and the seconds until it was ready, and stop it at the end.

    The access log goes to a file. Raises ServiceNotReady, with the service's output.
    """
    target = Target(HOST, free_port())
    settings = service_settings(target, models, workers)
    with running_command([sys.executable, "-m", "service"], {**environment, **settings}, target) as (_pid, seconds):
        yield target, seconds


def service_settings(target: Target, models: Path, workers: int) -> dict[str, str]:
    """The environment variables of a service at the target."""
    settings = {
        "HOST": target.host,
        "PORT": str(target.port),
        "MODELS": str(models),
        "WORKERS": str(workers),
        "DRAIN_DELAY": "0",
    }
    return {f"CONVSERVE_{name}": value for name, value in settings.items()}


@contextmanager
def running_command(
    command: Sequence[str], environment: Mapping[str, str], target: Target
) -> Iterator[tuple[int, float]]:
    """Start a command that serves the target, yield its process id and the seconds until it was ready, and stop it.

    The command leads a session of its own. Raises ServiceNotReady, with its output.
    """
    with tempfile.TemporaryFile() as access_log, tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, env=dict(environment), stdout=access_log, stderr=errors, start_new_session=True
        )
        try:
            if not _becomes_ready(target, process, begun + START_TIMEOUT):
                errors.seek(0)
                raise ServiceNotReady(f"the service did not become ready:\n{errors.read().decode()[-2000:]}")
            yield process.pid, time.perf_counter() - begun
        finally:
            _stop(process)


def wait_for_workers(target: Target, workers: int) -> None:
    """Wait until every worker has accepted a connection: /readyz says only that one of them is ready."""
    until = time.monotonic() + WORKERS_TIMEOUT
    with ExitStack() as stack:
        while len(count_connections(target.port)) < workers and time.monotonic() < until:
            client = stack.enter_context(closing(HTTPConnection(target.host, target.port, timeout=WORKERS_TIMEOUT)))
            client.request("GET", "/livez")
            client.getresponse().read()
            time.sleep(0.02)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop; kill its whole session where it does not."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _becomes_ready(target: Target, process: subprocess.Popen[bytes], until: float) -> bool:
    while process.poll() is None and time.perf_counter() < until:
        if is_ready(target):
            return True
        time.sleep(POLL_INTERVAL)
    return False


def is_ready(target: Target) -> bool:
    """Whether /readyz answers 200 now."""
    try:
        return target.get("/readyz")[0] == 200
    except OSError:
        return False


def free_port() -> int:
    """A TCP port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
