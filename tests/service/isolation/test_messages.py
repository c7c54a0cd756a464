import socket

import pytest

from service.isolation.messages import LENGTHS, MalformedMessage, Message, MessageReader, MessageSocket, encode_message


def test_messages_that_arrive_byte_by_byte_are_put_together() -> None:
    sent = b"".join(map(bytes, encode_message({"a": 1}, [b"xy", memoryview(b"z")]) + encode_message({"b": []})))
    reader = MessageReader(max_content=10)
    received = []
    for byte in sent:
        reader.add(bytes([byte]))
        while (message := reader.next()) is not None:
            received.append(message)

    assert received == [Message({"a": 1}, b"xyz"), Message({"b": []}, b"")]


@pytest.mark.parametrize(
    "sent",
    [
        LENGTHS.pack(2, 11) + b"{}",
        LENGTHS.pack(1 << 31, 0),
        LENGTHS.pack(2, 0) + b"[]",
        LENGTHS.pack(2, 0) + b"{x",
        LENGTHS.pack(4000, 0) + b"[" * 4000,
    ],
    ids=["too much content", "too long a header", "no object", "no JSON", "too deep"],
)
def test_what_does_not_keep_to_the_form_is_not_read(sent: bytes) -> None:
    reader = MessageReader(max_content=10)
    reader.add(sent)

    with pytest.raises(MalformedMessage):
        reader.next()


def test_the_end_of_the_connection_is_no_message() -> None:
    ours, other = socket.socketpair()
    other.sendall(LENGTHS.pack(2, 5) + b"{}ab")
    other.close()

    assert MessageSocket(ours).receive() is None
    ours.close()
