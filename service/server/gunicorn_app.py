"""gunicorn's application and configuration: what happens in the master, and what a new worker is given."""

import fcntl
import gc
import importlib
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from prometheus_client.multiprocess import mark_process_dead

from service.ipc.scoreboard import Scoreboard
from service.ipc.workspace import WorkerContext
from service.server.arbiter import DrainingArbiter
from service.server.worker import LoopWorker
from service.settings import Settings
from service.telemetry.metrics import create_metrics


class GunicornApplication(BaseApplication):  # type: ignore[misc]  # gunicorn ships no type information
    """The service under gunicorn, from the sockets in the master to the application in each worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = Path(tempfile.mkdtemp(prefix="convserve-"))  # what workers share, and what outlives them
        self._lock = os.open(self._folder, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_SH)  # so that nobody tidies it up: tmpfiles.d(5), on the age of files
        self._scoreboard = Scoreboard()
        self._slot = -1
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings."""
        for name, value in self._options().items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the application; gunicorn calls this in each worker, after the fork.

        Importing ONNX Runtime starts a thread, and the copy of a process that had it hangs when it exits: so the
        application is not even imported before.
        """
        app = importlib.import_module("service.app")
        context = WorkerContext(self._folder, self._slot, self._scoreboard)
        created: Flask = app.create_app(self._settings, create_metrics(context), context, _write_line)
        gc.freeze()  # what stays for good: else every request with many lists walks through all of it
        return created

    def run(self) -> None:
        """Be the master until the end."""
        DrainingArbiter(self, self._scoreboard, self._settings.drain_delay).run()

    def _options(self) -> dict[str, Any]:
        return {
            "bind": f"{_bracketed(self._settings.host)}:{self._settings.port}",
            "backlog": 2048,
            "workers": self._settings.workers,
            "worker_class": LoopWorker,
            "preload_app": False,  # ONNX Runtime sessions do not survive a fork
            "timeout": 60,  # seconds without a sign of life after which the master replaces a worker
            "graceful_timeout": self._settings.grace_period,
            "control_socket_disable": True,  # it would be made in the home folder
            "proc_name": "convserve",
            "pre_fork": self._pre_fork,
            "post_fork": self._post_fork,
            "child_exit": self._child_exit,
            "on_exit": self._on_exit,
        }

    def _pre_fork(self, _arbiter: Any, worker: LoopWorker) -> None:
        worker.settings = self._settings
        worker.scoreboard = self._scoreboard
        worker.slot = self._scoreboard.claim()

    def _post_fork(self, _arbiter: Any, worker: LoopWorker) -> None:
        self._slot = worker.slot

    def _child_exit(self, _arbiter: Any, worker: LoopWorker) -> None:
        mark_process_dead(worker.slot, str(self._folder))
        self._scoreboard.release(worker.slot)

    def _on_exit(self, _arbiter: Any) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)


def _bracketed(host: str) -> str:
    """An IPv6 address as it stands before a port."""
    return f"[{host}]" if ":" in host else host


def _write_line(line: bytes) -> None:
    """Write to standard output in one call, so that lines of several workers do not mix; a full disk loses the line."""
    with suppress(OSError):
        os.write(sys.stdout.fileno(), line)
