"""The service with faults that a test switches on and off by files; run it with `python -m`, as `python -m service`.

The folder in FAULTS may have: `fork`, while no process can be forked; `boot`, while a worker that starts fails; `hang`,
while one that starts hangs in C code; `clock`, the seconds by which the time of the day is wrong.
"""

import ctypes
import errno
import os
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from service.__main__ import load_app
from service.ipc.workspace import WorkerContext
from service.server import arbiter
from service.server.background import ServedApp
from service.server.gunicorn_app import GunicornApplication
from service.settings import Settings, read_settings
from service.telemetry.metrics import discard_worker

FAULTS = Path(os.environ["FAULTS"])
TIMEOUT = int(os.environ.get("FAULTY_TIMEOUT", "60"))  # seconds without a heartbeat
fork, clock = os.fork, time.time


def fork_or_fail() -> int:
    if (FAULTS / "fork").exists():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return fork()


def wrong_time() -> float:
    try:
        return clock() + float((FAULTS / "clock").read_text())
    except (OSError, ValueError):
        return clock()


def load_or_fail(context: WorkerContext) -> ServedApp:
    if (FAULTS / "boot").exists():
        raise RuntimeError("broken for a test")
    if (FAULTS / "hang").exists():
        hang()
    return load_app(settings, context)


def hang() -> NoReturn:
    """Never return to Python, where signals would be handled: lock a mutex twice."""
    mutex = ctypes.create_string_buffer(256)
    for _ in range(2):
        ctypes.PyDLL(None).pthread_mutex_lock(mutex)
    raise AssertionError("a mutex has been locked twice")


class FaultyServer(GunicornApplication):
    """Differs in one option of gunicorn's."""

    def _options(self) -> dict[str, Any]:
        return {**super()._options(), "timeout": TIMEOUT}


def serve(settings: Settings) -> None:
    FaultyServer(settings, load_or_fail, discard_worker).run()


if __name__ == "__main__":
    os.fork, time.time = fork_or_fail, wrong_time
    arbiter.START_SILENCE = TIMEOUT
    settings = read_settings(os.environ)
    try:
        serve(settings)
    except KeyboardInterrupt:
        sys.exit(1)
