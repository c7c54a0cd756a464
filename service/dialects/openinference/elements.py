"""The elements of a binary BYTES tensor, each behind its length in four little-endian bytes."""

import struct
from collections.abc import Iterable

from service.dialects.openinference.datatypes import BYTES
from service.errors import InvalidArray

LENGTH = struct.Struct("<I")


def join_elements(elements: Iterable[bytes]) -> bytes:
    """The tensor that holds these elements."""
    return b"".join(LENGTH.pack(len(element)) + element for element in elements)


def split_elements(content: memoryview, count: int) -> list[bytes]:
    """The `count` elements of a tensor; raises InvalidArray where it holds more, fewer, or a part of one."""
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
