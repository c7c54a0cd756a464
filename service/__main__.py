"""`python -m service`: the one place where the serving side reads the environment."""

import logging
import os
import resource
import sys
import warnings
from pathlib import Path

from service.server.gunicorn_app import GunicornApplication
from service.settings import InvalidSetting, read_settings
from service.web.auth import InvalidKeys, read_keys


def main() -> None:
    """Start the service and stay until it is told to stop."""
    try:
        settings = read_settings(os.environ)
        if settings.admin_keys != Path():
            read_keys(settings.admin_keys)
    except (InvalidSetting, InvalidKeys) as error:
        sys.exit(f"convserve cannot start: {error}")
    logging.basicConfig(format="[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s")  # much as gunicorn's own
    warnings.filterwarnings("ignore", module="PIL")  # what Pillow thinks of strangers' pictures is no news here
    _allow_open_files()
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # else ONNX Runtime reports to its makers; workers inherit it
    GunicornApplication(settings).run()


def _allow_open_files() -> None:
    """Raise the limit of open files to what the system permits: each connection is one, and 1,024 are soon used up."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
