"""What is known of the request under way, from its arrival to its line in the access log."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import random as draw
from typing import Any

# Names in the WSGI environment. The first three are the server's.
QUEUE_SECONDS = "convserve.queue_seconds"  # how long the complete request has waited
REFUSAL = "convserve.refusal"  # a RequestError to be answered instead of looking at the request, or None
WAITED = "convserve.waited"  # the Wait that is over, where the application is called for a request again
RECORD = "convserve.record"
WAITS = "convserve.waits"  # set by the application: a Wait after which it is to be called again; nobody gets its answer


@dataclass(frozen=True)
class Wait:
    """What a request waits for, and a function that tells whether that is over."""

    subject: Any
    is_over: Callable[[], bool]


@dataclass
class RequestRecord:
    """One request: its id, when it was taken up (perf_counter seconds) and how long it had waited before."""

    request_id: str
    queue_seconds: float
    started: float = field(default_factory=time.perf_counter)
    route: str = "unmatched"  # the pattern, never the path: a metric's label
    status: int = 500  # what the client gets should nobody say another
    bytes_out: int = 0
    facts: dict[str, Any] = field(default_factory=dict)  # what the route adds to the log line
    server_timing: str = ""  # the header's value, once there is one
    on_failure: Callable[[float, str], None] | None = None  # wants to know after how many seconds, and with what code
    lot: float = field(default_factory=draw)  # decides between versions, and alike when a request is tried again

    def seconds(self) -> float:
        """Time since the request was complete, the queue included."""
        return self.queue_seconds + time.perf_counter() - self.started
