"""What is known of the request under way, from its arrival to its line in the access log."""

import time
from dataclasses import dataclass, field
from typing import Any

from flask import g


@dataclass
class RequestRecord:
    """One request: its id, when it was taken up (perf_counter seconds) and how long it had waited before."""

    request_id: str
    queue_seconds: float
    started: float = field(default_factory=time.perf_counter)
    facts: dict[str, Any] = field(default_factory=dict)  # what the route adds to the log line

    def seconds(self) -> float:
        """Time since the request was complete, the queue included."""
        return self.queue_seconds + time.perf_counter() - self.started


def current_record() -> RequestRecord:
    """The record that the hooks made for this request."""
    record: RequestRecord = g.record
    return record
