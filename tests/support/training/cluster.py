"""Processes on this machine that train together, as TF_CONFIG says."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[3]
_TIMEOUT = 300  # seconds; far more than they need, for machines that are busy with other things


def run_together(count: int, *arguments: str) -> list["subprocess.CompletedProcess[str]"]:
    """Run `python` with these arguments in so many processes at the same time, and wait for all."""
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(count)]
    started = [_start(addresses, index, arguments) for index in range(count)]
    try:
        ended = [process.communicate(timeout=_TIMEOUT) for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
    return [
        subprocess.CompletedProcess(process.args, process.returncode, *output)
        for process, output in zip(started, ended, strict=True)
    ]


def _start(addresses: list[str], index: int, arguments: tuple[str, ...]) -> "subprocess.Popen[str]":
    place = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
    environment = {**os.environ, "TF_CONFIG": json.dumps(place), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
