"""The queue of copied requests for shadows, bounded in number, bytes and age, and the share of time spent on them."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from weakref import ref

from service.codecs.inputs import Inputs
from service.inference.prediction import RankedClass
from service.inference.predictor import Predictor

MAX_REQUESTS = 64  # a burst: small images are worked off in a third of a second
MAX_BYTES = 8 << 20  # of their inputs: a tenth of a worker's memory, and half of the largest body
MAX_AGE = 5.0  # seconds: comparisons are about what is served now, and images are not kept for longer than needed

MAX_SHARE = 0.05  # of the time: 19 of 20 requests find the worker free, so the median latency stays
MAX_MEAN_DELAY = 0.0001  # seconds that a request waits on average: a tenth of what a small image takes under load


@dataclass(frozen=True)
class MirroredRequest:
    """A copy of an answered request, the class of each image in the response, and the shadow to compare.

    The reference to the shadow is weak: a version that is retired is released although copies wait for it.
    """

    model: str
    version: int
    top1: list[RankedClass]
    inputs: Inputs
    shadow: "ref[Predictor]"
    shadow_version: int
    since: float


class ShadowQueue:
    """First in, first out."""

    def __init__(self) -> None:
        self._copies: deque[MirroredRequest] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._copies)

    @property
    def expiry(self) -> float:
        """When the oldest copy is too old."""
        return self._copies[0].since + MAX_AGE

    def has_room(self, nbytes: int) -> bool:
        """Whether one more copy with inputs of this size may be put in."""
        return len(self._copies) < MAX_REQUESTS and self._bytes + nbytes <= MAX_BYTES

    def put(self, copy: MirroredRequest) -> None:
        """Add a copy, for which there must be room."""
        self._copies.append(copy)
        self._bytes += copy.inputs.nbytes

    def take(self) -> MirroredRequest:
        """Remove the oldest copy."""
        copy = self._copies.popleft()
        self._bytes -= copy.inputs.nbytes
        return copy

    def take_expired(self, now: float) -> Iterator[MirroredRequest]:
        """Remove the copies that are too old."""
        while self._copies and self.expiry <= now:
            yield self.take()


class DutyCycle:
    """When the next comparison may begin. It cannot be interrupted, so a long one is followed by a long rest.

    Of requests that arrive at any moment a share of `work / cycle` meets work, and waits for half of it on average; so
    a cycle of `work² / (2 × MAX_MEAN_DELAY)` keeps the mean within MAX_MEAN_DELAY, which is the larger one of both
    bounds from 4 ms of work on. The shorter one of the last two pieces of work counts, so that one which the machine
    delayed causes no long rest.
    """

    def __init__(self) -> None:
        self.rest_until = 0.0  # in the seconds of the clock that the caller has
        self._before = 0.0

    def account(self, began: float, ended: float) -> None:
        """Set the rest after a piece of work."""
        work = ended - began
        usual, self._before = min(work, self._before), work
        self.rest_until = began + max(work / MAX_SHARE, usual * usual / (2 * MAX_MEAN_DELAY))
