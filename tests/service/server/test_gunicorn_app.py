"""What the master gives gunicorn, looked at without starting anything."""

import fcntl
import os

import pytest

from service.ipc.workspace import WorkerContext
from service.server.background import ServedApp
from service.server.gunicorn_app import GunicornApplication
from service.settings import Settings


def load(_context: WorkerContext) -> ServedApp:
    raise AssertionError("there is no worker here")


def application(settings: Settings) -> GunicornApplication:
    return GunicornApplication(settings, load, on_worker_exit=lambda _: None)


@pytest.mark.parametrize(
    ("host", "bind"), [("127.0.0.1", "127.0.0.1:8000"), ("::1", "[::1]:8000")], ids=["IPv4", "IPv6"]
)
def test_the_address_is_written_as_gunicorn_reads_it(host: str, bind: str) -> None:
    server = application(Settings(host=host))
    server._shared.remove()  # takes the folder for metrics away again

    assert server.cfg.bind == [bind]


def test_what_workers_share_is_locked_against_those_who_tidy_up() -> None:
    server = application(Settings())
    folder = os.open(server._folder, os.O_RDONLY)

    with pytest.raises(BlockingIOError):
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)

    os.close(folder)
    server._shared.remove()
