"""A child process for tests: does what each message asks for."""

import os
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from service.isolation.child import EXIT_MEMORY, enter_child, limit_cpu
from service.isolation.messages import Message, MessageSocket


def main() -> None:
    """Respond until the parent closes the socket."""
    channel, arguments = enter_child()
    while (message := channel.receive()) is not None:
        if message.members["order"] == "echo":
            channel.send({**message.members, "arguments": arguments}, [message.content])
        else:
            ORDERS[message.members["order"]](channel, message)


def spin(_: MessageSocket, message: Message) -> NoReturn:
    """Use CPU seconds without end."""
    limit_cpu(message.members["seconds"])
    while True:
        pass


def allocate(channel: MessageSocket, message: Message) -> None:
    """Take memory."""
    try:
        channel.send({"allocated": len(bytearray(message.members["bytes"]))})
    except MemoryError:
        sys.exit(EXIT_MEMORY)


def write(channel: MessageSocket, _: Message) -> None:
    """Write to both standard streams, as a library does."""
    os.write(1, b"out")
    os.write(2, b"err")
    channel.send({})


def sleep(*_: object) -> None:
    """Do nothing for long."""
    time.sleep(60)


def abort(*_: object) -> None:
    """Crash."""
    os.abort()


def leave(_: MessageSocket, message: Message) -> NoReturn:
    """Exit by itself."""
    sys.exit(message.members["status"])


ORDERS: dict[str, Callable[[MessageSocket, Message], None]] = {
    "spin": spin,
    "allocate": allocate,
    "write": write,
    "sleep": sleep,
    "abort": abort,
    "exit": leave,
}

if __name__ == "__main__":
    main()
