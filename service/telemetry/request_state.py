"""What is known of the request under way, from its arrival to its line in the access log."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import random as draw
from typing import Any


@dataclass
class RequestState:
    """One request: its id, when it was taken up (perf_counter seconds) and how long it had waited before."""

    request_id: str
    queue_seconds: float
    started: float = field(default_factory=time.perf_counter)
    route: str = "unmatched"  # the pattern, never the path: a metric's label
    status: int = 500  # what the client gets should nobody say another
    bytes_out: int = 0
    log_fields: dict[str, Any] = field(default_factory=dict)  # what the route adds to the log line
    server_timing: str = ""  # the header's value, once there is one
    on_failure: Callable[[float, str], None] | None = None  # wants to know after how many seconds, and with what code
    bucket: float = field(default_factory=draw)  # decides between versions, and alike when a request is tried again

    def seconds(self) -> float:
        """Time since the request was complete, the queue included."""
        return self.queue_seconds + time.perf_counter() - self.started
