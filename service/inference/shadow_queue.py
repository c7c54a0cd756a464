"""Copies of answered requests that wait to be classified once more, bounded in number, bytes and age.

How much of a worker's time work may take that nobody waits for.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from weakref import ref

from service.codecs.inputs import Inputs
from service.inference.prediction import RankedClass
from service.inference.predictor import Predictor

MAX_REQUESTS = 64  # a burst: small pictures are worked off in a third of a second
MAX_BYTES = 8 << 20  # of their inputs: a tenth of what a worker takes anyhow, and half of the largest body
MAX_AGE = 5.0  # seconds: comparisons are about what is served now, and nobody's pictures are kept for longer


@dataclass(frozen=True)
class MirroredRequest:
    """What a client sent, the class of each image that it was answered with, and who is to be compared.

    The shadow is not kept from being retired.
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
        """Whether one more copy with inputs of so many bytes may be put in."""
        return len(self._copies) < MAX_REQUESTS and self._bytes + nbytes <= MAX_BYTES

    def put(self, copy: MirroredRequest) -> None:
        """Add a copy, for which there must be room."""
        self._copies.append(copy)
        self._bytes += copy.inputs.nbytes

    def take(self) -> MirroredRequest:
        """Remove the oldest."""
        copy = self._copies.popleft()
        self._bytes -= copy.inputs.nbytes
        return copy

    def take_expired(self, now: float) -> Iterator[MirroredRequest]:
        """Remove what is too old."""
        while self._copies and self.expiry <= now:
            yield self.take()


SHARE = 0.05  # of the time: whoever comes at any moment finds the worker free 19 times in 20, so the median stays
DELAY = 0.0001  # seconds that a request waits for it on average: a tenth of what a small picture takes under load


class DutyCycle:
    """When the next piece of such work may begin. Work cannot be interrupted, so a long piece is followed by long rest.

    Of requests that come at any moment a share of `work / cycle` meets work, and waits for half of it on average; so a
    cycle of `work² / (2 × DELAY)` keeps the mean within DELAY, which is what counts from 4 ms of work on. The shorter
    one of the last two pieces decides, so that one which the machine held up is no reason for a long rest.
    """

    def __init__(self) -> None:
        self.rest_until = 0.0  # in the seconds of the clock that the caller has
        self._before = 0.0

    def account(self, began: float, ended: float) -> None:
        """Rest long enough after a piece of work."""
        work = ended - began
        usual, self._before = min(work, self._before), work
        self.rest_until = began + max(work / SHARE, usual * usual / (2 * DELAY))
