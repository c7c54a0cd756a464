"""The keys that the server and the application add to the WSGI environment (PEP 3333) of a request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Headers = list[tuple[str, str]]  # names and values of a response

# Set by the server.
QUEUE_SECONDS = "convserve.queue_seconds"  # how long the complete request has waited
ERROR = "convserve.error"  # an exception to respond with instead of looking at the request, or None
RESUMED = "convserve.resumed"  # the Deferred that is over, where the application is called for a request again
# Set by the application.
REQUEST_STATE = "convserve.request_state"  # its RequestState
DEFERRED = "convserve.deferred"  # a Deferred: this response is dropped, the application called again when it is over


@dataclass(frozen=True)
class Deferred:
    """What a request waits for, and a function that tells whether that is over."""

    subject: Any
    is_over: Callable[[], bool]
    is_announced: bool = False  # an event source wakes the loop when it is over, and `is_over` may be called every turn


class Suspended(BaseException):
    """Raised where a request has to wait for something, through all of the application, which is called again then.

    Like asyncio.CancelledError it is no Exception, for it is no error: no handler of errors may respond to it.
    """

    def __init__(self, deferred: Deferred) -> None:
        super().__init__()
        self.deferred = deferred
