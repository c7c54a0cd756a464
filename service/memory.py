"""Memory that is free in the process, given back to the system."""

import ctypes
import gc
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Collect cycles and return free pages, which glibc otherwise keeps for later (malloc_trim(3))."""
    gc.collect()
    _malloc_trim()(0)


@cache
def _malloc_trim() -> Callable[[int], object]:
    """The function of glibc; other C libraries need none, or have none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
