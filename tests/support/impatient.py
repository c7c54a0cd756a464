"""`python -m tests.support.impatient`: the service, but its master waits 3 seconds for a sign of life instead of 60."""

import os
from typing import Any

from service.server.gunicorn_app import GunicornApplication
from service.settings import read_settings

TIMEOUT = 3  # seconds; a worker gives a sign each second


class ImpatientServer(GunicornApplication):
    """Differs in one option of gunicorn's."""

    def _options(self) -> dict[str, Any]:
        return {**super()._options(), "timeout": TIMEOUT}


if __name__ == "__main__":
    ImpatientServer(read_settings(os.environ)).run()
