"""The request that each worker works on, in shared memory: so the master can name what a worker died of."""

import mmap
import struct
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

TEXT_BYTES = 248  # of a request in words; what is longer is cut
_ROW = struct.Struct(f"d{TEXT_BYTES}s")

Note = Callable[[float, bytes], None]  # when a request began (perf_counter seconds), 0 for none; its words


class CurrentRequest(NamedTuple):
    """When it began (perf_counter seconds, on Linux the same in all processes), and its id, method and path."""

    began: float
    words: str


class CurrentRequests:
    """One row a worker, which it alone writes."""

    def __init__(self, slots: int) -> None:
        self._rows = mmap.mmap(-1, slots * _ROW.size)

    def note(self, slot: int) -> Note:
        """What a worker calls with each request that it begins, and with 0 and nothing when that is done."""
        return partial(_ROW.pack_into, self._rows, slot * _ROW.size)

    def read(self, slot: int) -> CurrentRequest | None:
        """The request that this worker works on, or worked on when it died."""
        began, words = _ROW.unpack_from(self._rows, slot * _ROW.size)
        return CurrentRequest(began, words.rstrip(b"\0").decode(errors="replace")) if began else None
