"""What is known of the request under way, from its arrival to its line in the access log."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import random as draw
from typing import Any


@dataclass
class RequestState:
    """One request: its id, the seconds that it was queued, and when the application began it (perf_counter seconds)."""

    request_id: str
    queue_seconds: float
    started: float = field(default_factory=time.perf_counter)
    route: str = "unmatched"  # the pattern, never the path: a metric's label
    status: int = 500  # what the client gets where no other is set
    bytes_out: int = 0
    log_fields: dict[str, Any] = field(default_factory=dict)  # what the route adds to the log line
    server_timing: str = ""  # the header's value, once there is one
    error_code: str = ""  # of the response, if it is an error
    on_failure: Callable[[float, str], None] | None = None  # called with the seconds and the code of an error
    job: Any = None  # the work in another process that the request waits for, or has waited for
    job_error: Callable[[], Exception | None] | None = None  # what the request failed with there, once that is over
    job_seconds: float = 0.0  # of which it waited for that process to begin
    can_suspend: bool = False  # whether the server calls the application again once a request need wait no longer
    bucket: float = field(default_factory=draw)  # 0 to 1; decides which version answers
