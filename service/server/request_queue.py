"""The complete requests that wait: small ones never behind many large ones, and refused ones seldom before others."""

from collections import deque
from typing import NamedTuple

from service.errors import RequestError
from service.server.connection import Connection

LARGE_BYTES = 65536  # of head and body; a compressed body may be of any size, so it counts as large
REFUSED_TURN = 6  # every sixth turn is that of a refused request, if there is one


class WaitingRequest(NamedTuple):
    """A connection whose request is complete, or refused with an error, since a time in monotonic seconds."""

    connection: Connection
    since: float
    error: RequestError | None = None


class RequestQueue:
    """After a large request all small ones that wait by then have their turn, so none waits for two large ones."""

    def __init__(self, limit: int) -> None:
        """At most `limit` requests wait; those that are refused do not count."""
        self._limit = limit
        self._small: deque[WaitingRequest] = deque()
        self._large: deque[WaitingRequest] = deque()
        self._refused: deque[WaitingRequest] = deque()
        self._was_large = True  # whether the last request was
        self._turns = 0
        self._before_large = 0  # small requests whose turn comes before the next large one

    def __bool__(self) -> bool:
        return bool(self._small or self._large or self._refused)

    def add(self, request: WaitingRequest) -> bool:
        """Put a request at the end of its kind; False where too many wait already."""
        if len(self._small) + len(self._large) >= self._limit:
            return False
        self._queue_of(request).append(request)
        return True

    def add_first(self, request: WaitingRequest) -> None:
        """Put a request at the head of its kind: it has waited before, or is answered in no time."""
        self._queue_of(request).appendleft(request)

    def reject(self, request: WaitingRequest) -> None:
        """Put a request with an error behind the others: thousands may be refused at once."""
        self._refused.append(request)

    def next(self) -> WaitingRequest | None:
        """Take out the request whose turn it is; None where none waits."""
        self._turns += 1
        if self._refused and self._turns % REFUSED_TURN == 0:
            return self._refused.popleft()
        if self._was_large:
            self._before_large, self._was_large = len(self._small), False
        if self._small and (self._before_large or not self._large):
            self._before_large -= self._before_large > 0
            return self._small.popleft()
        if self._large:
            self._was_large = True
            return self._large.popleft()
        return self._refused.popleft() if self._refused else None

    def _queue_of(self, request: WaitingRequest) -> deque[WaitingRequest]:
        connection = request.connection
        is_large = connection.held > LARGE_BYTES or connection.request.is_compressed
        return self._large if is_large else self._small
