"""`python -m service.healthcheck`: is the service beside this process ready? For Docker's HEALTHCHECK.

It runs every few seconds, so it imports little: neither Flask nor gunicorn, and not even http.client.
"""

import os
import socket
import sys
from collections.abc import Mapping

from service.settings import InvalidSetting, read_settings

CONNECT_SECONDS = 1.0  # on the same machine, only a full backlog takes time
MARGIN_SECONDS = 2.0  # beside the time in the queue; the largest request holds a worker up for about a second
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound to it here
SHOWN = 1000  # characters of a response; Docker keeps 4,096 bytes


def check(environment: Mapping[str, str]) -> str:
    """Ask `/readyz` of the service with these settings; why it is not ready in one line, "" where it is ready.

    It waits as long as any request may wait in the queue: else an orchestrator would restart a service that is only
    busy, and its load would go to the others.
    """
    try:
        settings = read_settings(environment)
        timeout = settings.request_timeout + MARGIN_SECONDS
        response = _ask(EVERYWHERE.get(settings.host, settings.host), settings.port, timeout)
    except InvalidSetting as error:
        return str(error)
    except OSError as error:
        return f"no answer from {settings.host}:{settings.port}: {error}"
    head, _, body = response.partition("\r\n\r\n")
    status = " ".join(head.partition("\r\n")[0].split(" ")[1:])
    return "" if status == "200 OK" else f"/readyz says {status or 'nothing'}: {' '.join(body.split())[:SHOWN]}"


def _ask(host: str, port: int, timeout: float) -> str:
    """The whole response. In HTTP/1.0, because it ends with the connection, without chunks."""
    with socket.create_connection((host, port), CONNECT_SECONDS) as connection:
        connection.settimeout(timeout)
        connection.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
        with connection.makefile(encoding="latin-1", newline="") as response:
            return response.read()


if __name__ == "__main__":
    sys.exit(check(os.environ) or None)
