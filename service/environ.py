"""What is known of the request under way, from its arrival to its line in the access log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Names in the WSGI environment. The first three are the server's.
QUEUE_SECONDS = "convserve.queue_seconds"  # how long the complete request has waited
ERROR = "convserve.refusal"  # a RequestError to be answered instead of looking at the request, or None
RESUMED = "convserve.waited"  # the Wait that is over, where the application is called for a request again
REQUEST_STATE = "convserve.record"
DEFERRED = (
    "convserve.waits"  # set by the application: a Wait after which it is to be called again; nobody gets its answer
)


@dataclass(frozen=True)
class Deferred:
    """What a request waits for, and a function that tells whether that is over."""

    subject: Any
    is_over: Callable[[], bool]
