"""NumPy's `.npy` files from clients: read without pickle, and sizes are checked before memory is taken for them."""

import io
import math
import tokenize
import warnings

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from service.codecs.inputs import PixelArray
from service.codecs.limits import Limits
from service.errors import InvalidArray

MAGIC = b"\x93NUMPY"

# What NumPy's header reader, which evaluates a Python literal, raises on hostile bytes.
UNREADABLE = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
)


def is_npy(content: bytes) -> bool:
    """Whether the first bytes are those of a `.npy` file."""
    return content.startswith(MAGIC)


def read_npy_inputs(content: bytes, _limits: Limits) -> PixelArray:
    """The pixels in a body that is a `.npy` file; raises InvalidArray."""
    return PixelArray(read_npy(content))


def read_npy(content: bytes) -> NDArray[np.generic]:
    """Return the array in `content` without copying it; raises InvalidArray.

    Format: NEP 1, versions 1.0 to 3.0. The header's shape is compared with the bytes that are there before anything
    is allocated.
    """
    stream = io.BytesIO(content)
    try:
        with warnings.catch_warnings(action="ignore"):
            shape, fortran, dtype = _read_header(stream)
    except UNREADABLE as error:
        raise InvalidArray("the body is not a .npy file: write it with numpy.save") from error
    if dtype.hasobject:
        raise InvalidArray("the .npy file holds Python objects: save an array of uint8")
    expected, sent = math.prod(shape) * dtype.itemsize, len(content) - stream.tell()
    if expected != sent:
        claimed = expected if expected < 1 << 63 else "far too many"
        raise InvalidArray(f"the .npy file says {claimed} bytes of pixels, but {sent} came: send it whole")
    try:
        flat: NDArray[np.generic] = np.frombuffer(content, dtype, offset=stream.tell())
        return flat.reshape(shape, order="F" if fortran else "C")
    except (ValueError, OverflowError) as error:
        raise InvalidArray(f"the .npy file claims an impossible shape: {error}") from error


def _read_header(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    version = npy_format.read_magic(stream)
    read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    return read(stream)
