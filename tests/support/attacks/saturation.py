"""Clients in a closed loop that keep every worker busy: each sends its next request once it has a response."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.attacks.files.png_files import RGB, blank
from tests.support.load.generator import Load, traffic

CLIENTS = 64
COSTLY = blank(200, 200, RGB)  # a millisecond of a worker, several times what a client needs to send it
AT_ONCE = 1e6  # requests a second: each is overdue as soon as the one before has ended


@contextmanager
def saturated(port: int) -> Iterator[Load]:
    """All workers are busy for as long as the block lasts, and as many requests wait as there are clients."""
    with traffic(
        port, body=COSTLY, rate=AT_ONCE, connections=CLIENTS, keep_alive=True, retry_refused=True, timeout=30
    ) as load:
        yield load
