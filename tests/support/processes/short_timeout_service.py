"""The service with a heartbeat timeout of 3 seconds instead of 60; run it with `python -m`, as `python -m service`."""

import os
from functools import partial
from typing import Any

from service.__main__ import load_app
from service.server.gunicorn_app import GunicornApplication
from service.settings import read_settings
from service.telemetry.metrics import discard_worker

TIMEOUT = 3  # seconds; a worker gives a sign each second


class ShortTimeoutServer(GunicornApplication):
    """Differs in one option of gunicorn's."""

    def _options(self) -> dict[str, Any]:
        return {**super()._options(), "timeout": TIMEOUT}


if __name__ == "__main__":
    settings = read_settings(os.environ)
    ShortTimeoutServer(settings, partial(load_app, settings), discard_worker).run()
