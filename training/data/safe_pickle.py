"""A safe reader of the pickles in CIFAR's archives, which runs no code from them.

A pickle is a program that may call whatever Python can import, and an archive from an unknown source may contain any.
This reader accepts only the few names of which an array of bytes is made, refuses all others without importing them,
and replaces these few by its own classes: NumPy's own objects raise errors inside of NumPy for a damaged state.
"""

import io
import pickle
import struct
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from training.errors import InvalidData

# What unpickling raises for files that are cut short or are no pickles; found by changing their bytes.
_BROKEN = (
    pickle.UnpicklingError,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)


def unpickle(content: bytes, source: str) -> dict[bytes, Any]:
    """The dictionary that the pickle holds, with uint8 arrays and Python 2's strings as bytes; raises InvalidData."""
    try:
        stored = _Unpickler(io.BytesIO(content), encoding="bytes").load()
    except _Refused as refused:
        raise InvalidData(
            f"{source} asks to run {refused}, which no data set needs and which was not run: "
            "take the archive from its authors"
        ) from refused
    except _BROKEN as error:
        raise InvalidData(f"{source} cannot be read as a pickle ({error}): copy the archive again") from error
    if not isinstance(stored, dict):
        raise InvalidData(f"{source} holds no dictionary, as CIFAR's files do: copy the archive again")
    return {key: value.values if isinstance(value, _Array) else value for key, value in stored.items()}


class _Refused(pickle.UnpicklingError):
    """A pickle wants something that is not in the table."""


class _Unpickler(pickle._Unpickler):
    """Python's unpickler in Python. The one in C sets aside gigabytes for an index or a length in a damaged file."""

    dispatch: ClassVar = {
        code: load for code, load in pickle._Unpickler.dispatch.items() if code != pickle.BYTEARRAY8[0]
    }

    def find_class(self, module: str, name: str) -> object:
        """What the pickle may call, from the table and never by import."""
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise _Refused(f"{module}.{name}") from None


class _Type:
    """Stands for a `numpy.dtype`, of which the name is all there is to know about single bytes."""

    def __init__(self, name: object, *_: object) -> None:
        self.name = name

    def __setstate__(self, _: object) -> None:
        """Byte order and alignment, which single bytes do not have."""


class _Array:
    """Stands for a `numpy.ndarray`, whose state is (version, shape, type, in Fortran's order?, bytes)."""

    values = None  # until the state is set

    def __setstate__(self, state: tuple[object, tuple[int, ...], _Type, object, bytes]) -> None:
        """Look at the bytes as an array; ValueError or TypeError where they are not one of this shape."""
        _, shape, kind, by_columns, content = state
        if kind.name not in (b"u1", "u1"):
            raise ValueError(f"an array of {kind.name!r} where the archives have u1")
        self.values = np.frombuffer(content, np.uint8).reshape(shape, order="F" if by_columns else "C")


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _encode(text: str, encoding: object) -> bytes:
    if encoding != "latin1":
        raise ValueError(f"text in {encoding!r} where pickles use latin1")
    return text.encode("latin1")


_ALLOWED: Mapping[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,  # its name in the published archives, from NumPy 1
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,  # and in those that NumPy 2 wrote anew
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,  # how Python 3 writes bytes where Python 2 shall read them
}
