"""Memory that is free goes back to the system, which glibc otherwise does late or never (malloc_trim(3))."""

import ctypes
import gc
import resource
from collections.abc import Callable
from functools import cache
from pathlib import Path


def resident_bytes() -> int:
    """The memory of this process; 0 on systems other than Linux."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def release_memory() -> None:
    """Collect cycles, then trim the heap."""
    gc.collect()
    trim_heap()


def trim_heap() -> None:
    """Return what is free; without effect where the C library is not glibc."""
    _malloc_trim()(0)


@cache
def _malloc_trim() -> Callable[[int], object]:
    return getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
