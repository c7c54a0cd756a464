"""Pickles from CIFAR's archives, read without letting them run anything.

A pickle is a program that may call whatever Python can import, and an archive that somebody passed on may hold any. So
this reader knows the few things that an array of bytes is made of and refuses the rest before it is looked up.
"""

import codecs
import io
import pickle
from collections.abc import Mapping
from typing import Any

import numpy as np

from training.errors import InvalidData

# What unpickling raises on files that are cut short or are no pickles, as flipping their bytes shows.
_BROKEN = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)


def unpickle(content: bytes, source: str) -> Any:
    """What the pickle holds, Python 2's strings as bytes; raises InvalidData, and then nothing of it was run."""
    try:
        return _Unpickler(io.BytesIO(content), encoding="bytes").load()
    except _Refused as refused:
        raise InvalidData(
            f"{source} asks to run {refused}, which no data set needs and which was not run: "
            "take the archive from its authors"
        ) from refused
    except _BROKEN as error:
        raise InvalidData(f"{source} cannot be read as a pickle ({error}): copy the archive again") from error


class _Refused(pickle.UnpicklingError):
    """A pickle wants something that is not in the table."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        """What the pickle may call, from the table and never by import."""
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise _Refused(f"{module}.{name}") from None


def _uint8(name: object, _align: object, _copy: object) -> np.dtype[np.uint8]:
    """The type of the archives' arrays; a new one each time, because a pickle sets its state next."""
    if name not in (b"u1", "u1"):
        raise ValueError(f"an array of {name!r} where the archives have u1")
    return np.dtype("u1", copy=True)


_RECONSTRUCT = np.empty(0).__reduce__()[0]  # NumPy's own function for it, wherever this version keeps it
_ALLOWED: Mapping[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,  # its name in the published archives, from NumPy 1
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,  # and in those that NumPy 2 wrote anew
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): _uint8,
    ("_codecs", "encode"): codecs.encode,  # how Python 3 writes bytes where Python 2 shall read them
}
