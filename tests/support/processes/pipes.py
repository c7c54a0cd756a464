"""Reading a pipe to which another process, or the test itself, writes."""

import os


def drain(read_end: int) -> bytes:
    """All that is in a pipe or terminal now; from then on its end never blocks."""
    os.set_blocking(read_end, False)
    parts = []
    try:
        while part := os.read(read_end, 1 << 20):
            parts.append(part)
    except BlockingIOError:
        pass
    return b"".join(parts)
