"""A process that should decode images, after a decoder has been taken over: what it says is in its argument."""

import json
import os
import sys

from service.isolation.child import enter_child
from service.isolation.messages import LENGTHS


def main() -> None:
    """Say it at the first job."""
    channel, _ = enter_child()
    if channel.receive() is not None:
        text = json.dumps(json.loads(os.environ["HOSTILE_MEMBERS"])).encode()
        claimed = int(os.environ["HOSTILE_BYTES"])
        socket = channel._socket
        socket.sendall(LENGTHS.pack(len(text), claimed) + text + bytes(min(claimed, 1000)))
        channel.receive()
    sys.exit(0)


if __name__ == "__main__":
    main()
