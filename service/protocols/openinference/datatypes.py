"""The protocol's datatypes: the binary forms of numbers and, each behind its length, of BYTES elements."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import InvalidArray

BYTES = "BYTES"
PIXELS = "UINT8"  # of every model, whatever its graph takes: the preprocessing contract converts it
PROBABILITIES = "FP32"

LENGTH = struct.Struct("<I")  # before each element of a binary BYTES tensor


@dataclass(frozen=True)
class Datatype:
    """A numeric type: the NumPy type of its little-endian binary form, and whether JSON tensors may have it."""

    stored: np.dtype[Any]
    in_json: bool = True

    def read(self, content: bytes | memoryview) -> NDArray[Any]:
        """The elements in their binary form, a view where NumPy knows the type."""
        return np.frombuffer(content, self.stored)

    def contains(self, values: NDArray[np.float64]) -> bool:
        """Whether every value lies within the type."""
        if self.stored.kind == "f":
            return True
        range_ = np.iinfo(self.stored)
        return bool(range_.min <= values.min() and values.max() <= range_.max)


class BrainFloat(Datatype):
    """BF16: the upper half of a float32."""

    def read(self, content: bytes | memoryview) -> NDArray[Any]:
        """The elements as float32."""
        widened: NDArray[np.uint32] = super().read(content).astype(np.uint32) << np.uint32(16)
        return widened.view(np.float32)


NUMERIC = {
    "UINT8": Datatype(np.dtype("u1")),
    "UINT16": Datatype(np.dtype("<u2")),
    "UINT32": Datatype(np.dtype("<u4")),
    "UINT64": Datatype(np.dtype("<u8")),
    "INT8": Datatype(np.dtype("i1")),
    "INT16": Datatype(np.dtype("<i2")),
    "INT32": Datatype(np.dtype("<i4")),
    "INT64": Datatype(np.dtype("<i8")),
    "FP16": Datatype(np.dtype("<f2"), in_json=False),
    "FP32": Datatype(np.dtype("<f4")),
    "FP64": Datatype(np.dtype("<f8")),
    "BF16": BrainFloat(np.dtype("<u2"), in_json=False),
}


def join_elements(elements: Iterable[bytes]) -> bytes:
    """The binary BYTES tensor of these elements."""
    return b"".join(LENGTH.pack(len(element)) + element for element in elements)


def is_element(content: memoryview) -> bool:
    """Whether this is one element of a binary BYTES tensor: its length, and as many bytes."""
    return len(content) >= LENGTH.size and LENGTH.unpack_from(content)[0] == len(content) - LENGTH.size


def split_elements(content: memoryview, count: int) -> list[bytes]:
    """The elements of a binary BYTES tensor; raises InvalidArray where it does not hold exactly `count`."""
    elements, start = [], 0
    for number in range(1, count + 1):
        begin = start + LENGTH.size
        start = begin + LENGTH.unpack_from(content, start)[0] if begin <= len(content) else len(content) + 1
        if start > len(content):
            raise InvalidArray(f"the {BYTES} tensor ends within element {number} of {count}")
        elements.append(bytes(content[begin:start]))
    if start != len(content):
        raise InvalidArray(f"{len(content) - start} bytes follow behind the {count} elements of the {BYTES} tensor")
    return elements
