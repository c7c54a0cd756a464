"""Messages between a process and its child: a JSON object, and bytes behind it. No pickle: the other side may lie.

On the wire: two lengths, that of the JSON text and that of the bytes, then both.
"""

import json
import socket
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

LENGTHS = struct.Struct("!IQ")
MAX_HEADER = 4 << 20  # bytes of JSON: a bundle's metadata, or the steps of many images
RECEIVE_BYTES = 1 << 18

Buffer = bytes | bytearray | memoryview


class MalformedMessage(Exception):
    """The other side does not keep to the form; it is not to be listened to any more."""


class Message(NamedTuple):
    """The members of the JSON object, unchecked, and the bytes."""

    members: dict[str, Any]
    content: bytes


def encode_message(members: dict[str, Any], content: Sequence[Buffer] = ()) -> list[Buffer]:
    """A message as buffers to be sent one after the other; the content is not copied."""
    header = json.dumps(members).encode()
    return [LENGTHS.pack(len(header), sum(map(len, content))) + header, *filter(len, content)]


class MessageReader:
    """Puts messages together from what arrives, with at most `max_content` bytes each behind the JSON."""

    def __init__(self, max_content: int) -> None:
        self._max_content = max_content
        self._received = bytearray()

    def add(self, data: bytes) -> None:
        """Take what has arrived."""
        self._received += data

    def next(self) -> Message | None:
        """The next message that is complete, None if there is none; raises MalformedMessage."""
        if len(self._received) < LENGTHS.size:
            return None
        header, content = LENGTHS.unpack_from(self._received)
        if header > MAX_HEADER or content > self._max_content:
            raise MalformedMessage(f"a message of {header} + {content} bytes")
        begin, end = LENGTHS.size + header, LENGTHS.size + header + content
        if len(self._received) < end:
            return None
        message = Message(_parse(bytes(self._received[LENGTHS.size : begin])), bytes(self._received[begin:end]))
        del self._received[:end]
        return message


class MessageSocket:
    """Sends and receives whole messages over a socket that blocks."""

    def __init__(self, connection: socket.socket, max_content: int = 1 << 32) -> None:
        self._socket = connection
        self._reader = MessageReader(max_content)

    def send(self, members: dict[str, Any], content: Sequence[Buffer] = ()) -> None:
        """Send one message; raises OSError where the other side is gone."""
        for buffer in encode_message(members, content):
            self._socket.sendall(buffer)

    def receive(self) -> Message | None:
        """Wait for one message; None where the other side is gone. Raises MalformedMessage, and TimeoutError."""
        while (message := self._reader.next()) is None:
            try:
                data = self._socket.recv(RECEIVE_BYTES)
            except ConnectionResetError:  # it was killed before it had read everything
                return None
            if not data:
                return None
            self._reader.add(data)
        return message


def _parse(text: bytes) -> dict[str, Any]:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage("a message that is no JSON") from error
    if not isinstance(members, dict):
        raise MalformedMessage("a message that is no JSON object")
    return members
