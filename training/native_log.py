"""Silence for what native libraries write past Python while they are loaded."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2


@contextmanager
def native_log_silenced() -> Iterator[None]:
    """Point the process's standard error at nothing for a while; Python's exceptions are raised as ever.

    TensorFlow 2.21 tells at import which instructions and GPUs it found, before its logger knows of any level.
    """
    kept = os.dup(_STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(nowhere)
