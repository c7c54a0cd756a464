"""The container's check: one question, and one line where the answer is not yes."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.healthcheck import check
from tests.support.processes.service import free_port

ROOT = Path(__file__).parent.parent.parent
READY = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"ready":true}'
DRAINING = b'HTTP/1.1 503 SERVICE UNAVAILABLE\r\nContent-Length: 30\r\n\r\n{"problems":["shutting\ndown"]}'


@contextmanager
def answering(answer: bytes, host: str = "127.0.0.1") -> Iterator[dict[str, str]]:
    """Whoever asks once gets this, or waits where it is empty; gives the environment of such a service."""
    over = threading.Event()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                asked = client.recv(4096)
                if answer and asked.startswith(b"GET /readyz "):
                    client.sendall(answer)
                else:
                    over.wait(10)

        server = threading.Thread(target=serve)
        server.start()
        try:
            yield {"CONVSERVE_HOST": host, "CONVSERVE_PORT": str(listener.getsockname()[1])}
        finally:
            over.set()
            server.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])  # noqa: S104 - this machine alone asks
def test_who_listens_and_is_ready_is_healthy(host: str) -> None:
    with answering(READY, host) as environment:
        assert check(environment) == ""


def test_who_is_not_ready_says_why_in_one_line() -> None:
    with answering(DRAINING) as environment:
        assert check(environment) == '/readyz says 503 SERVICE UNAVAILABLE: {"problems":["shutting down"]}'


@pytest.mark.parametrize("answer", [b"220 mail.example.org ESMTP\r\n", b"\xff\r\n"], ids=["mail", "noise"])
def test_who_speaks_something_else_is_not_healthy(answer: bytes) -> None:
    with answering(answer) as environment:
        assert check(environment).startswith("/readyz says ")


def test_where_nobody_listens_it_says_so() -> None:
    port = free_port()

    said = check({"CONVSERVE_PORT": str(port)})

    assert said.startswith(f"no answer from 127.0.0.1:{port}: ")
    assert "refused" in said


def test_who_hangs_for_longer_than_requests_may_wait_is_not_healthy() -> None:
    with answering(b"") as environment:
        said = check({**environment, "CONVSERVE_REQUEST_TIMEOUT": "0.05"})

    assert said.endswith("timed out")


def test_a_bad_setting_is_named() -> None:
    assert check({"CONVSERVE_PORT": "http"}) == "CONVSERVE_PORT must be a number, not 'http'"


@pytest.mark.parametrize(("answer", "status"), [(READY, 0), (DRAINING, 1)], ids=["ready", "draining"])
def test_docker_learns_it_from_the_exit_status(answer: bytes, status: int) -> None:
    with answering(answer) as environment:
        done = run(environment)

    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (status, status, "")


def run(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "service.healthcheck"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_it_imports_next_to_nothing() -> None:
    code = "import sys, service.healthcheck; print(*(name.partition('.')[0] for name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert set(loaded.split()).isdisjoint({"flask", "gunicorn", "prometheus_client", "numpy", "http", "ssl", "asyncio"})
