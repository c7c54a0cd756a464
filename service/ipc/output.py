"""Standard output and standard error that never wait: a line that nobody takes is dropped and counted.

A pipe whose reader is stuck, a stopped terminal or a full disk would else stop the process that logs, and with it every
client. Lines are written whole or not at all, those of pipes in one piece even beside other processes (pipe(7)).
"""

import fcntl
import io
import os
import select
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from service.ipc.scoreboard import Scoreboard, Stream
from service.ipc.worker_warnings import WorkerWarnings

MAX_LINE = 4096  # bytes of a line in a pipe: PIPE_BUF of Linux, up to which a write is one piece
PIPE_BYTES = 1 << 20  # that a pipe may hold, where the system allows it: half a second of lines at full load
MAX_BEGUN = 1 << 16  # characters that are kept of a line until its end comes
NOTICE_INTERVAL = 1.0  # seconds between notices of what was dropped
CUT = "…\n".encode()

Send = Callable[[bytes], int]  # the bytes that were taken; raises OSError, BlockingIOError where none can be taken now


class LineOutput:
    """One standard stream of this process, which takes whole lines at once or not at all.

    `count` is called with the number of lines that were dropped; `on_flow` with the number of those since its last
    call, as soon as lines can be written again. While `is_plain`, a line of at most MAX_LINE bytes may simply be
    written to the descriptor.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.count: Callable[[int], object] = _ignore
        self.on_flow: Callable[[int], object] = _ignore
        self._is_open = _is_open(descriptor)
        mode = os.fstat(descriptor).st_mode if self._is_open else 0
        self._most = sys.maxsize if stat.S_ISREG(mode) else MAX_LINE
        self._never_waits = not stat.S_ISSOCK(mode) and self._is_open
        self._send = self._sender(mode)
        self._rest = b""  # of a line that was not taken whole
        self._dropped = 0
        self._next_notice = 0.0
        self._lock = threading.RLock()
        self._set_plain()

    def write(self, lines: bytes) -> None:
        """Write lines, each of which ends with a line break. One that is too long for a pipe is cut."""
        with self._lock:
            for piece in _pieces(lines, self._most):
                self._write(piece)
            self._set_plain()

    @property
    def is_dropping(self) -> bool:
        """Whether lines were dropped, and none could be written since."""
        return self._dropped > 0

    def drop(self, lines: int) -> None:
        """Count lines that could not be written."""
        with self._lock:
            self._dropped += lines
            self.count(lines)
            self._set_plain()

    def hold_back(self, rest: bytes) -> None:
        """Keep the rest of a line of which a part is written; it goes before the next one."""
        with self._lock:
            self._rest = rest
            self._set_plain()

    def _set_plain(self) -> None:
        self.is_plain = self._never_waits and not self._rest and not self._dropped

    def _write(self, piece: bytes) -> None:
        whole = self._rest + piece
        try:
            taken = self._send(whole)
        except (OSError, ValueError):
            self.drop(piece.count(b"\n"))
            return
        if taken < len(self._rest):
            self._rest = self._rest[taken:]
            self.drop(piece.count(b"\n"))
            return
        self._rest = self._end_of_line(whole, taken)
        if self._dropped and time.monotonic() >= self._next_notice:
            self._next_notice = time.monotonic() + NOTICE_INTERVAL
            dropped, self._dropped = self._dropped, 0
            self.on_flow(dropped)

    def _end_of_line(self, whole: bytes, taken: int) -> bytes:
        """What is missing of the line within which a write ended; the lines behind it are dropped."""
        if taken == len(whole) or whole[taken - 1 : taken] == b"\n":
            rest = b""
        else:
            rest = whole[taken : whole.index(b"\n", taken) + 1]
        lost = whole.count(b"\n", taken + len(rest))
        if lost:
            self.drop(lost)
        return rest

    def _sender(self, mode: int) -> Send:
        if not self._is_open:
            return _refuse
        if stat.S_ISSOCK(mode):
            return _SocketSender(self.descriptor).send
        if stat.S_ISFIFO(mode) or os.isatty(self.descriptor):
            if _reopen(self.descriptor):
                return self._write_now
            self._never_waits = False
            return self._write_if_ready
        return self._write_now

    def _write_now(self, data: bytes) -> int:
        return os.write(self.descriptor, data)

    def _write_if_ready(self, data: bytes) -> int:
        """For what cannot be opened once more; two processes that fill the last place at once may still wait."""
        poll = select.poll()
        poll.register(self.descriptor, select.POLLOUT)
        if not poll.poll(0):
            raise BlockingIOError
        return os.write(self.descriptor, data)


class _SocketSender:
    """Sends to a socket that others may hold, too, so that it cannot be made one that does not block."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=os.dup(descriptor))

    def send(self, data: bytes) -> int:
        return self._socket.send(data, socket.MSG_DONTWAIT)

    def __del__(self) -> None:
        self._socket.close()


class TextStream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` over a LineOutput: for logging, warnings, tracebacks and `print`."""

    encoding = "utf-8"

    def __init__(self, output: LineOutput) -> None:
        self.output = output
        self._begun = ""  # a line without its end
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Write the lines that are complete."""
        with self._lock:
            lines, line_break, self._begun = (self._begun + text).rpartition("\n")
            if len(self._begun) > MAX_BEGUN:
                lines, line_break, self._begun = lines + line_break + self._begun, "\n", ""
            if line_break:
                self.output.write((lines + line_break).encode(errors="backslashreplace"))
        return len(text)

    def fileno(self) -> int:
        """The descriptor, for what writes to it itself."""
        return self.output.descriptor

    def isatty(self) -> bool:
        """Whether a person reads it."""
        return os.isatty(self.output.descriptor)

    def writable(self) -> bool:
        """It is only written."""
        return True


def replace_standard_streams() -> None:
    """Make descriptors 1 and 2 of this process such that nothing waits for them, and `sys.stdout` and `sys.stderr`.

    They are opened once more, so that other processes with the same terminal or pipe notice nothing. A descriptor that
    is closed is taken, so that no socket gets its number and what is printed.
    """
    out, err = LineOutput(1), LineOutput(2)
    for descriptor in (0, 1, 2):
        if not _is_open(descriptor):
            os.open(os.devnull, os.O_RDWR)
    out.on_flow = lambda lines: err.write(_notice(lines, "standard output"))
    err.on_flow = lambda lines: err.write(_notice(lines, "standard error"))
    sys.stdout, sys.stderr = TextStream(out), TextStream(err)


def count_dropped_lines(scoreboard: Scoreboard, row: int) -> None:
    """Count what this process drops of its standard streams in its row of the scoreboard."""
    for stream, text in ((Stream.OUT, sys.stdout), (Stream.ERR, sys.stderr)):
        if isinstance(text, TextStream):
            text.output.count = scoreboard.dropped_line_counter(row, stream)


def warn_of_dropped_lines(warnings: WorkerWarnings) -> None:
    """Warn while lines of a standard stream are dropped."""
    for name, text in (("standard output", sys.stdout), ("standard error", sys.stderr)):
        if isinstance(text, TextStream) and text.output.is_dropping:
            warnings.add(name, "nobody reads it, or it cannot be written: lines are dropped and counted")
        else:
            warnings.remove(name)


def standard_output() -> LineOutput:
    """Standard output as lines of bytes; what `sys.stdout` has, unless something else has replaced that."""
    return sys.stdout.output if isinstance(sys.stdout, TextStream) else LineOutput(1)


def _is_open(descriptor: int) -> bool:
    with suppress(OSError):
        os.fstat(descriptor)
        return True
    return False


def _reopen(descriptor: int) -> bool:
    """Give a pipe or terminal an open file description of this process alone, which never blocks (open(2)).

    False where the system has no /proc, or does not allow it.
    """
    with suppress(OSError):
        own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        os.dup2(own, descriptor)
        os.close(own)
        with suppress(OSError, AttributeError):  # more than one user may have, or no pipe
            if fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ) < PIPE_BYTES:
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        return True
    return False


def _pieces(lines: bytes, most: int) -> Iterator[bytes]:
    """Whole lines, as many at a time as have at most `most` bytes together; a longer line is cut."""
    if len(lines) <= most:
        yield lines
        return
    piece = b""
    for line in lines.split(b"\n")[:-1]:
        short = line + b"\n" if len(line) < most else line[: most - len(CUT)] + CUT
        if len(piece) + len(short) > most:
            yield piece
            piece = b""
        piece += short
    yield piece


def _notice(lines: int, stream: str) -> bytes:
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    text = f"{lines} lines of {stream} were dropped: nobody read it, or it could not be written"
    return f"[{now}] [{os.getpid()}] [WARNING] {text}\n".encode()


def _refuse(_data: bytes) -> int:
    raise BlockingIOError


def _ignore(_lines: int) -> None:
    """Where nobody counts."""
