"""`python -m service`: the one place where the serving side reads the environment."""

import logging
import os
import resource
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from service.ipc.output import replace_standard_streams
from service.ipc.workspace import WorkerContext
from service.lifecycle.trials import TrialClient, TrialOptions
from service.server.background import ServedApp
from service.server.gunicorn_app import GunicornApplication
from service.settings import InvalidSetting, Settings, read_settings
from service.telemetry.metrics import discard_worker
from service.web.auth import InvalidKeys, read_keys


def main() -> None:
    """Start the service and stay until it is told to stop."""
    try:
        settings = read_settings(os.environ)
        if settings.admin_keys != Path():
            read_keys(settings.admin_keys)
    except (InvalidSetting, InvalidKeys) as error:
        sys.exit(f"convserve cannot start: {error}")
    replace_standard_streams()
    logging.basicConfig(format="[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s")  # much as gunicorn's own
    _allow_open_files()
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # else ONNX Runtime reports to its makers; workers inherit it
    GunicornApplication(settings, load=partial(load_app, settings), on_worker_exit=discard_worker).run()


def load_app(settings: Settings, context: WorkerContext) -> ServedApp:
    """Build the application in a worker.

    Importing ONNX Runtime starts a thread, and a forked copy of a process that has this thread hangs when it exits: so
    the application is imported here, after the fork.
    """
    trials = TrialClient(context.folder, TrialOptions.of(settings), context.warnings)
    trials.start()  # it imports the same, meanwhile
    from service.app import create_served_app  # noqa: PLC0415 - see above

    return create_served_app(settings, context, trials)


def _allow_open_files() -> None:
    """Raise the limit of open files to what the system permits: each connection is one, and 1,024 are soon used up."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # a system that permits less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
