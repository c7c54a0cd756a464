"""`make serve` in a clone where no compiler can be found and no package is cached."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.http.raw_client import send_request
from tests.support.processes.service import free_port, until

ROOT = Path(__file__).parent.parent.parent
COMMANDS = ("make", "sh", "rm", "touch")
DIGIT = ROOT / "docs" / "images" / "digit.png"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The variables of a machine on which only these commands are installed."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in COMMANDS:
        (commands / name).symlink_to(Path(shutil.which(name) or "").resolve(strict=True))
    missing = {"CC": "/nonexistent/cc", "CXX": "/nonexistent/c++"}
    mine = {name: value for name, value in os.environ.items() if not name.startswith("CONVSERVE_")}
    return {**mine, **missing, "PATH": str(commands), "PIP_NO_CACHE_DIR": "1"}


def is_ready(port: int) -> bool:
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
    except OSError:
        return False


def is_over(group: int) -> bool:
    """Whether no process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.slow
def test_the_service_can_be_installed_and_started_without_a_compiler(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    port = free_port()
    python = Path(sys.base_prefix, "bin", "python3")  # not the one of this virtual environment
    command = ["make", "serve", f"PYTHON={python}", f"VENVS={tmp_path / 'venvs'}", f"PORT={port}"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        until(lambda: process.poll() is not None or is_ready(port), "the service is ready", seconds=300, pause=0.5)
        response = send_request(port, "POST", "/predict", DIGIT.read_bytes())
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        until(lambda: is_over(process.pid), "the service has ended", seconds=60)

    assert response.json()["predictions"][0]["label"] == "6"
