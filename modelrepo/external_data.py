"""Which files the weights of an ONNX file are in, beside the file itself (`TensorProto.external_data`).

They are found in the bytes of the protobuf message, without the package `onnx`, which the service does not have.
"""

import posixpath
from collections.abc import Iterator

from modelrepo.errors import CorruptBundle

# Where messages are in messages (onnx.proto3), by the numbers of their fields. A tensor's external data are key and
# value pairs; all other kinds only lead to tensors.
_MODEL: "Kind" = {}
_GRAPH: "Kind" = {}
_NODE: "Kind" = {}
_ATTRIBUTE: "Kind" = {}
_FUNCTION: "Kind" = {}
_TRAINING: "Kind" = {}
_SPARSE: "Kind" = {}
_TENSOR: "Kind" = {}
_PAIR: "Kind" = {}
Kind = dict[int, "Kind"]

_MODEL |= {7: _GRAPH, 20: _TRAINING, 25: _FUNCTION}
_GRAPH |= {1: _NODE, 5: _TENSOR, 15: _SPARSE}
_NODE |= {5: _ATTRIBUTE}
_ATTRIBUTE |= {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE}
_FUNCTION |= {7: _NODE, 11: _ATTRIBUTE}
_TRAINING |= {1: _GRAPH, 2: _GRAPH}
_SPARSE |= {1: _TENSOR, 2: _TENSOR}
_TENSOR |= {13: _PAIR}

_VARINT, _FIXED64, _BYTES, _GROUP, _GROUP_END, _FIXED32 = range(6)  # wire types
_LENGTHS = {_FIXED64: 8, _FIXED32: 4, _GROUP: 0, _GROUP_END: 0}
_KEY, _VALUE = 1, 2  # fields of a pair
_MAX_FIELDS = 10_000_000  # which take 10 seconds


def external_files(content: bytes) -> set[str]:
    """The paths of the files that an ONNX file takes weights from, as it names them, relative to its folder.

    What is no protobuf message names none: ONNX Runtime cannot open it. Raises CorruptBundle for too many fields.
    """
    files = set()
    count = 0
    pending = [(_MODEL, 0, len(content))]
    while pending:
        kind, start, end = pending.pop()
        pair: dict[int, bytes] = {}
        for field, first, last in _fields(content, start, end):
            count += 1
            if kind is _PAIR:
                pair[field] = content[first:last]
            elif field in kind:
                pending.append((kind[field], first, last))
        if count > _MAX_FIELDS:
            raise CorruptBundle(f"the graph has more than {_MAX_FIELDS:,} fields")
        if pair.get(_KEY) == b"location":
            files.add(posixpath.normpath(pair.get(_VALUE, b"").decode(errors="replace")))
    return files


def _fields(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The fields of a message, up to where it makes no sense: number, first byte and the one behind the last."""
    while start < end:
        tag, start = _varint(content, start, end)
        wire = tag & 7
        if wire == _VARINT:
            _, start = _varint(content, start, end)
            length = 0
        elif wire == _BYTES:
            length, start = _varint(content, start, end)
        else:
            length = _LENGTHS.get(wire, end)
        if start + length > end:
            return
        yield tag >> 3, start, start + length
        start += length


def _varint(content: bytes, start: int, end: int) -> tuple[int, int]:
    """The number at this place, and the place behind it, which is behind the end where there is no number."""
    value = 0
    for position in range(start, min(end, start + 10)):
        byte = content[position]
        value |= (byte & 0x7F) << 7 * (position - start)
        if byte < 0x80:
            return value, position + 1
    return 0, end + 1
