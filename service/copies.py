"""Copies of answered requests that wait to be classified once more, bounded in number, bytes and age."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from weakref import ref

from service.inputs import Inputs
from service.prediction import RankedClass
from service.predictor import Predictor

MAX_COPIES = 64  # a burst: small pictures are worked off in a third of a second
MAX_BYTES = 8 << 20  # of their inputs: a tenth of what a worker takes anyhow, and half of the largest body
MAX_AGE = 5.0  # seconds: comparisons are about what is served now, and nobody's pictures are kept for longer


@dataclass(frozen=True)
class Copy:
    """What a client sent, the class of each image that it was answered with, and who is to be compared.

    The shadow is not kept from being retired.
    """

    model: str
    version: int
    winners: list[RankedClass]
    inputs: Inputs
    shadow: "ref[Predictor]"
    shadow_version: int
    since: float


class CopyQueue:
    """First in, first out."""

    def __init__(self) -> None:
        self._copies: deque[Copy] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._copies)

    @property
    def expiry(self) -> float:
        """When the oldest copy is too old."""
        return self._copies[0].since + MAX_AGE

    def has_room(self, nbytes: int) -> bool:
        """Whether one more copy with inputs of so many bytes may be put in."""
        return len(self._copies) < MAX_COPIES and self._bytes + nbytes <= MAX_BYTES

    def put(self, copy: Copy) -> None:
        """Add a copy, for which there must be room."""
        self._copies.append(copy)
        self._bytes += copy.inputs.nbytes

    def take(self) -> Copy:
        """Remove the oldest."""
        copy = self._copies.popleft()
        self._bytes -= copy.inputs.nbytes
        return copy

    def take_expired(self, now: float) -> Iterator[Copy]:
        """Remove what is too old."""
        while self._copies and self.expiry <= now:
            yield self.take()
