"""Standard streams that never wait: whole lines or none, and what is dropped is counted."""

import os
import pty
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.ipc.output import MAX_LINE, LineOutput, TextStream
from service.ipc.scoreboard import MASTER, Scoreboard, Stream
from tests.support.processes.pipes import drain

LINE = b"x" * 99 + b"\n"


class Counted:
    """A LineOutput with what it says of dropped lines."""

    def __init__(self, descriptor: int) -> None:
        self.dropped = 0
        self.notices: list[int] = []
        self.output = LineOutput(descriptor)
        self.output.count = self._count
        self.output.on_flow = self.notices.append

    def _count(self, lines: int) -> None:
        self.dropped += lines

    def fill(self, line: bytes = LINE) -> int:
        """Write until a line is dropped; returns the lines written."""
        for written in range(1_000_000):
            self.output.write(line)
            if self.dropped:
                return written
        raise AssertionError("there is always room")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read_end, write_end = os.pipe()
    yield read_end, write_end
    os.close(read_end)
    os.close(write_end)


def test_a_pipe_that_nobody_reads_drops_lines_and_counts_them(pipe: tuple[int, int]) -> None:
    counted = Counted(pipe[1])
    written = counted.fill()

    began = time.monotonic()
    for _ in range(100):
        counted.output.write(LINE)

    assert time.monotonic() - began < 1
    assert counted.dropped == 101
    assert drain(pipe[0]) == LINE * written


def test_when_a_pipe_is_read_again_it_is_said_how_many_lines_are_missing(pipe: tuple[int, int]) -> None:
    counted = Counted(pipe[1])
    counted.fill()
    counted.output.write(LINE * 2)
    drain(pipe[0])

    counted.output.write(b"again\n")

    assert counted.notices == [3]
    assert drain(pipe[0]) == b"again\n"
    assert counted.output.is_plain


def test_other_processes_with_the_same_pipe_still_wait(pipe: tuple[int, int]) -> None:
    other = os.dup(pipe[1])
    LineOutput(pipe[1])

    assert os.get_blocking(other)
    assert not os.get_blocking(pipe[1])
    os.close(other)


@pytest.mark.parametrize("length", [MAX_LINE - 1, MAX_LINE, 3 * MAX_LINE])
def test_two_writers_of_long_lines_do_not_mix_them(pipe: tuple[int, int], length: int) -> None:
    other = os.dup(pipe[1])
    first, second = Counted(pipe[1]), Counted(other)
    while not first.dropped or not second.dropped:
        first.output.write(b"a" * length + b"\n")
        second.output.write(b"b" * length + b"\n")

    lines = drain(pipe[0]).splitlines()

    assert {len(set(line.removesuffix("…".encode()))) for line in lines} == {1}
    assert max(map(len, lines)) < MAX_LINE
    os.close(other)


def test_many_lines_at_once_are_written_line_by_line(pipe: tuple[int, int]) -> None:
    LineOutput(pipe[1]).write(LINE * 200)

    assert drain(pipe[0]) == LINE * 200


def test_a_pipe_without_a_reader_drops_lines() -> None:
    read_end, write_end = os.pipe()
    counted = Counted(write_end)
    os.close(read_end)

    counted.output.write(LINE)

    assert counted.dropped == 1
    os.close(write_end)


def test_a_socket_that_nobody_reads_drops_lines() -> None:
    reader, writer = socket.socketpair()
    with reader, writer:
        counted = Counted(writer.fileno())
        written = counted.fill()
        reader.setblocking(False)
        received = b""
        while len(received) < written * len(LINE):
            received += reader.recv(1 << 20)

        assert counted.output.is_plain is False
        assert received == LINE * written
        assert writer.getblocking()


def test_a_stopped_terminal_drops_lines() -> None:
    master, slave = pty.openpty()
    counted = Counted(slave)
    counted.fill()

    assert counted.dropped == 1
    assert all(line == LINE.strip() for line in drain(master).splitlines()[:-1])
    os.close(master)
    os.close(slave)


def test_a_closed_descriptor_drops_lines() -> None:
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.close(descriptor)
    counted = Counted(descriptor)

    counted.output.write(LINE)

    assert counted.dropped == 1


def test_a_full_disk_drops_lines() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    counted = Counted(descriptor)

    counted.output.write(LINE)

    assert counted.dropped == 1
    os.close(descriptor)


def test_a_file_gets_long_lines_whole(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        LineOutput(file.fileno()).write(b"x" * 100_000 + b"\n")

    assert (tmp_path / "log").stat().st_size == 100_001


def test_the_rest_of_a_line_comes_before_the_next_one(pipe: tuple[int, int]) -> None:
    counted = Counted(pipe[1])
    counted.output.hold_back(b"rest\n")

    counted.output.write(b"next\n")

    assert drain(pipe[0]) == b"rest\nnext\n"


def test_text_is_written_in_lines(pipe: tuple[int, int]) -> None:
    stream = TextStream(LineOutput(pipe[1]))

    print("one", 2, "\ud800", file=stream)
    stream.write("not yet")
    stream.flush()

    assert drain(pipe[0]) == b"one 2 \\ud800\n"


def test_a_line_without_an_end_is_not_kept_for_ever(pipe: tuple[int, int]) -> None:
    stream = TextStream(LineOutput(pipe[1]))

    stream.write("x" * 100_000)

    assert drain(pipe[0]).endswith("…\n".encode())


def test_the_scoreboard_adds_up_what_all_processes_drop() -> None:
    scoreboard = Scoreboard()
    scoreboard.dropped_line_counter(0, Stream.OUT)(2)
    scoreboard.dropped_line_counter(255, Stream.ERR)(3)
    scoreboard.dropped_line_counter(MASTER, Stream.ERR)(4)

    assert scoreboard.dropped_lines() == 9


def test_what_is_closed_at_the_start_is_taken_before_a_socket_gets_its_number() -> None:
    program = (
        "import socket, os; from service.ipc.output import replace_standard_streams; os.close(1); os.close(2)\n"
        "replace_standard_streams(); print('lost'); s = socket.socket(); raise SystemExit(s.fileno() <= 2)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=20).returncode == 0


@pytest.mark.parametrize("statement", ["print('x' * 100)", "logging.error('x' * 100)", "warnings.warn('x' * 100)"])
def test_nothing_that_python_prints_waits(pipe: tuple[int, int], statement: str) -> None:
    program = (
        "import logging, warnings; from service.ipc.output import replace_standard_streams\n"
        "replace_standard_streams(); logging.basicConfig(); warnings.simplefilter('always')\n"
        f"for _ in range(20_000): {statement}"
    )

    result = subprocess.run([sys.executable, "-c", program], stdout=pipe[1], stderr=pipe[1], check=False, timeout=30)

    assert result.returncode == 0
    assert drain(pipe[0]).count(b"x" * 100) > 1000
