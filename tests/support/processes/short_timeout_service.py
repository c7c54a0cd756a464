"""The service with a heartbeat timeout of 3 seconds instead of 60; run it with `python -m`, as `python -m service`."""

import os
from typing import Any

from service.server.gunicorn_app import GunicornApplication
from service.settings import read_settings

TIMEOUT = 3  # seconds; a worker gives a sign each second


class ShortTimeoutServer(GunicornApplication):
    """Differs in one option of gunicorn's."""

    def _options(self) -> dict[str, Any]:
        return {**super()._options(), "timeout": TIMEOUT}


if __name__ == "__main__":
    ShortTimeoutServer(read_settings(os.environ)).run()
