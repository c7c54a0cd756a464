"""gunicorn's application and configuration: what happens in the master, and what a new worker is given."""

import os
import signal
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication

from service.ipc.output import count_dropped_lines
from service.ipc.scoreboard import MASTER, Scoreboard
from service.ipc.shared_folder import SharedFolder
from service.ipc.watchdog import end_with_master
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
        self._shared = SharedFolder()
        self._folder = self._shared.path
        self._scoreboard = Scoreboard()
        count_dropped_lines(self._scoreboard, MASTER)
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings."""
        for name, value in self._options().items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Be the master until the end."""
        master = os.getpid()
        tidy_up = self._shared.maintain
        try:
            DrainingArbiter(self, self._scoreboard, self._settings.drain_delay, tidy_up).run()
        finally:
            if os.getpid() == master:  # workers leave this way, too
                self._shared.remove()

    def _options(self) -> dict[str, Any]:
        return {
            "bind": f"{_bracketed(self._settings.host)}:{self._settings.port}",
            "backlog": 65535,  # the kernel takes as many as it allows: thousands may connect at once
            "workers": self._settings.workers,
            "worker_class": LoopWorker,
            "preload_app": False,  # ONNX Runtime sessions do not survive a fork
            "timeout": WORKER_TIMEOUT,
            "graceful_timeout": self._settings.grace_period,
            "worker_tmp_dir": str(self._folder),
            "control_socket_disable": True,  # it would be made in the home folder
            "proc_name": "convserve",
            "pre_fork": self._pre_fork,
            "post_fork": self._post_fork,
            "child_exit": self._child_exit,
        }

    def _pre_fork(self, arbiter: DrainingArbiter, worker: LoopWorker) -> None:
        arbiter.unforked = worker
        worker.settings = self._settings
        worker.context = WorkerContext(self._folder, self._scoreboard.claim(), self._scoreboard)
        worker.load_app = self._load

    def _post_fork(self, arbiter: DrainingArbiter, _worker: LoopWorker) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until the worker serves, it has nothing to finish
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        end_with_master(arbiter.pid)

    def _child_exit(self, arbiter: DrainingArbiter, worker: LoopWorker) -> None:
        try:
            self._on_worker_exit(worker.context)
        except Exception:  # of a disk, for instance: that must not end the master
            arbiter.log.exception("cannot tidy up after worker %s", worker.pid)
        self._scoreboard.release(worker.context.slot)


def _bracketed(host: str) -> str:
    """An IPv6 address as it stands before a port."""
    return f"[{host}]" if ":" in host else host
