"""NumPy's `.npy` files from clients: no pickle, nothing evaluated, sizes checked before memory is taken for them."""

import math
import re
import struct
import warnings

import numpy as np
from numpy.typing import NDArray

from service.codecs.inputs import PixelArray
from service.codecs.limits import Limits
from service.codecs.parameters import Parameters
from service.errors import InvalidArray

MAGIC = b"\x93NUMPY"
LENGTHS = {1: struct.Struct("<H"), 2: struct.Struct("<I"), 3: struct.Struct("<I")}  # of the header, by major version
MAX_HEADER = 10_000  # bytes, as in NumPy itself
MAX_AXES = 32
MAX_DIGITS = 18  # of one length: more is no size of anything

# One member of the header, which is a Python literal. It is never evaluated; only numbers and texts have such a dtype.
_MEMBER = re.compile(
    r"""\s*(['"])(?P<name>descr|fortran_order|shape)\1\s*:\s*"""
    r"""(?:(['"])(?P<descr>[<>|=]?[?a-zA-Z][0-9]{0,9})\3|(?P<fortran_order>True|False)|\((?P<shape>[0-9L,\s]*)\))"""
    r"""\s*(?:,|(?=\}))"""
)
_END = re.compile(r"\s*\}\s*")


def is_npy(content: bytes) -> bool:
    """Whether the first bytes are those of a `.npy` file."""
    return content.startswith(MAGIC)


def read_npy_inputs(content: bytes, _limits: Limits, _pixels: int, _parameters: Parameters) -> PixelArray:
    """The pixels in a body that is a `.npy` file; raises InvalidArray."""
    return PixelArray(read_npy(content))


def read_npy(content: bytes) -> NDArray[np.generic]:
    """Return the array in `content` without copying it; raises InvalidArray.

    Format: NEP 1, versions 1.0 to 3.0. The header's shape is compared with the bytes that are there before anything
    is allocated.
    """
    members, start = _read_header(content)
    shape, dtype = _read_shape(members["shape"]), _read_dtype(members["descr"])
    expected, sent = math.prod(shape) * dtype.itemsize, len(content) - start
    if expected != sent:
        claimed = expected if expected < 1 << 63 else "far too many"
        raise InvalidArray(f"the .npy file says {claimed} bytes of pixels, but {sent} came: send it whole")
    try:
        flat: NDArray[np.generic] = np.frombuffer(content, dtype, offset=start)
        return flat.reshape(shape, order="F" if members["fortran_order"] == "True" else "C")
    except (ValueError, OverflowError) as error:
        raise InvalidArray(f"the .npy file claims an impossible shape, ({members['shape']:.100})") from error


def _read_header(content: bytes) -> tuple[dict[str, str], int]:
    """The members of the header as texts, and where the pixels begin."""
    length = LENGTHS.get(content[6]) if is_npy(content) and len(content) >= 12 else None
    if length is None:
        raise _unreadable()
    begin = 8 + length.size
    end = begin + length.unpack_from(content, 8)[0]
    text = content[begin:end].decode("latin-1")
    if len(text) != end - begin or len(text) > MAX_HEADER or not text.startswith("{"):
        raise _unreadable()
    members, place = {}, 1
    while member := _MEMBER.match(text, place):
        name = member["name"]
        if member[name] is None or name in members:
            raise _unreadable()
        members[name], place = member[name], member.end()
    if len(members) != len(_MEMBER.groupindex) - 1 or not _END.fullmatch(text, place):
        raise _unreadable()
    return members, end


def _read_shape(text: str) -> tuple[int, ...]:
    """The lengths of the axes; those that Python 2 wrote may end in L."""
    lengths = [length.strip().removesuffix("L") for length in text.split(",")]
    if not lengths[-1]:
        lengths.pop()
    elif len(lengths) == 1:  # in brackets without a comma it is no tuple
        raise _unreadable()
    if len(lengths) > MAX_AXES or not all(length.isdigit() and len(length) <= MAX_DIGITS for length in lengths):
        raise InvalidArray(f"the .npy file claims an impossible shape: up to {MAX_AXES} whole numbers are possible")
    return tuple(map(int, lengths))


def _read_dtype(text: str) -> np.dtype[np.generic]:
    try:
        with warnings.catch_warnings(action="ignore"):  # of names that NumPy gives up
            dtype = np.dtype(text)
    except (TypeError, ValueError) as error:
        raise _unreadable() from error
    if dtype.hasobject:
        raise InvalidArray("the .npy file holds Python objects: save an array of uint8")
    return dtype


def _unreadable() -> InvalidArray:
    return InvalidArray("the body is not a .npy file of numbers: write it with numpy.save")
