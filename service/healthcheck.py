"""`python -m service.healthcheck`: is the service beside this process ready? For Docker's HEALTHCHECK.

It runs every few seconds, so it imports little: neither Flask nor gunicorn, and not even http.client.
"""

import os
import socket
import sys
from collections.abc import Mapping

from service.settings import InvalidSetting, read_settings

CONNECT_SECONDS = 1.0  # on the same machine, only a full backlog makes anybody wait
MARGIN_SECONDS = 2.0  # beside the time in the queue; the largest request holds a worker up for about a second
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound to it here
SHOWN = 1000  # characters of an answer; Docker keeps 4,096 bytes


def complaint(environment: Mapping[str, str]) -> str:
    """Ask `/readyz` of the service with these settings; why it is not ready in one line, nothing where it is.

    Busy is not ill: this waits as long as any request may wait in the queue. Who restarts the ill would else restart
    the overloaded, and give the others their load.
    """
    try:
        settings = read_settings(environment)
        patience = settings.request_timeout + MARGIN_SECONDS
        answer = _ask(EVERYWHERE.get(settings.host, settings.host), settings.port, patience)
    except InvalidSetting as error:
        return str(error)
    except OSError as error:
        return f"no answer from {settings.host}:{settings.port}: {error}"
    head, _, body = answer.partition("\r\n\r\n")
    status = " ".join(head.partition("\r\n")[0].split(" ")[1:])
    return "" if status == "200 OK" else f"/readyz says {status or 'nothing'}: {' '.join(body.split())[:SHOWN]}"


def _ask(host: str, port: int, patience: float) -> str:
    """The whole answer. In HTTP/1.0, because it ends with the connection, without chunks."""
    with socket.create_connection((host, port), CONNECT_SECONDS) as connection:
        connection.settimeout(patience)
        connection.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
        with connection.makefile(encoding="latin-1", newline="") as answer:
            return answer.read()


if __name__ == "__main__":
    sys.exit(complaint(os.environ) or None)
