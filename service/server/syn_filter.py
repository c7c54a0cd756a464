"""A socket filter that drops new TCP handshakes, so that a listening socket can be closed without losing a client.

The kernel completes handshakes before a process accepts the connection, and resets those connections when the
listening socket is closed. So first new handshakes are dropped, then the waiting connections are accepted, then the
socket is closed. The filter is classic BPF (Linux, Documentation/networking/filter.rst): it drops the segments that
begin a handshake and passes those that complete one. A client repeats its dropped segment after a second; then the
connection is refused, or the next service accepts it.
"""

import ctypes
import socket
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress

SO_ATTACH_FILTER = 26  # asm-generic/socket.h; Python has no name for it
_FLAGS, _SYN, _SYN_ACK = 13, 0x02, 0x12  # the byte of the TCP header that holds the flags, and those that matter
_INSTRUCTIONS = (  # struct sock_filter: code, jump if true, jump if false, constant
    (0x30, 0, 0, _FLAGS),  # load that byte
    (0x54, 0, 0, _SYN_ACK),  # keep SYN and ACK
    (0x15, 0, 1, _SYN),  # SYN alone?
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # pass
)


def drop_handshakes(listeners: Iterable[socket.socket]) -> None:
    """Drop new handshakes for every process that shares the sockets; without effect on systems other than Linux."""
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in _INSTRUCTIONS))
    pointer = struct.pack("HP", len(_INSTRUCTIONS), ctypes.addressof(program))  # struct sock_fprog
    if sys.platform == "linux":
        for each in listeners:
            with suppress(OSError):  # a kernel that forbids it: then a few late clients are reset
                each.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer)


def stop_listening(listeners: Iterable[socket.socket]) -> None:
    """Refuse all connections from now on, also where other processes share the sockets; what waits there is reset."""
    for each in listeners:
        with suppress(OSError):  # another process was faster, or a system on which a listening socket only closes
            each.shutdown(socket.SHUT_RDWR)
        each.close()
