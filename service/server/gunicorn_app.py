"""gunicorn's application and configuration: what happens in the master, and what a new worker is given."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from service.ipc.output import count_dropped_lines
from service.ipc.scoreboard import MASTER, Scoreboard
from service.ipc.workspace import WorkerContext
from service.server.arbiter import DrainingArbiter
from service.server.background import ServedApp
from service.server.worker import LoopWorker
from service.settings import Settings

WORKER_TIMEOUT = 60  # seconds without a heartbeat after which the master replaces a worker


class GunicornApplication(BaseApplication):  # type: ignore[misc]  # gunicorn ships no type information
    """The service under gunicorn, from the sockets in the master to the application in each worker."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[[WorkerContext], ServedApp],
        on_worker_exit: Callable[[WorkerContext], None],
    ) -> None:
        """`load` builds the application in each worker; `on_worker_exit` is called in the master when one is gone."""
        self._settings = settings
        self._load = load
        self._on_worker_exit = on_worker_exit
        self._folder = Path(tempfile.mkdtemp(prefix="convserve-"))  # what workers share, and what outlives them
        self._lock = os.open(self._folder, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_SH)  # so that systemd-tmpfiles does not remove it: tmpfiles.d(5), Age
        self._scoreboard = Scoreboard()
        count_dropped_lines(self._scoreboard, MASTER)
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings."""
        for name, value in self._options().items():
            self.cfg.set(name, value)

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
            "timeout": WORKER_TIMEOUT,
            "graceful_timeout": self._settings.grace_period,
            "control_socket_disable": True,  # it would be made in the home folder
            "proc_name": "convserve",
            "pre_fork": self._pre_fork,
            "child_exit": self._child_exit,
            "on_exit": self._on_exit,
        }

    def _pre_fork(self, _arbiter: Any, worker: LoopWorker) -> None:
        worker.settings = self._settings
        worker.context = WorkerContext(self._folder, self._scoreboard.claim(), self._scoreboard)
        worker.load_app = self._load

    def _child_exit(self, _arbiter: Any, worker: LoopWorker) -> None:
        self._on_worker_exit(worker.context)
        self._scoreboard.release(worker.context.slot)

    def _on_exit(self, _arbiter: Any) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)


def _bracketed(host: str) -> str:
    """An IPv6 address as it stands before a port."""
    return f"[{host}]" if ":" in host else host
