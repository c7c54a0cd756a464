"""Who holds the connections of a port."""

import os
import socket
from pathlib import Path

import pytest

from bench.sockets import count_connections

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0000 100 0 0 10 0
   1: 0100007F:1F40 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 101 1 0000 20 4 0 10 -1
   2: 0100007F:1F40 0100007F:D432 01 00000000:00000000 00:00000000 00000000     0        0 102 1 0000 20 4 0 10 -1
   3: 0100007F:D431 0100007F:1F40 01 00000000:00000000 00:00000000 00000000     0        0 103 1 0000 20 4 0 10 -1
   4: 0100007F:1F40 0100007F:D433 01 00000000:00000000 00:00000000 00000000     0        0 0 1 0000 20 4 0 10 -1
"""


def _process(proc: Path, pid: int, inodes: list[int]) -> None:
    folder = proc / str(pid) / "fd"
    folder.mkdir(parents=True)
    for number, inode in enumerate(inodes):
        (folder / str(number)).symlink_to(f"socket:[{inode}]")


def test_established_connections_are_counted_at_the_servers_end(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(TABLE)
    _process(tmp_path, 11, [100, 101])  # the listener is no connection
    _process(tmp_path, 12, [100, 102])
    _process(tmp_path, 13, [103])  # a client

    assert count_connections(8000, tmp_path) == {11: 1, 12: 1}


def test_a_system_without_proc_shows_nothing(tmp_path: Path) -> None:
    assert count_connections(8000, tmp_path) == {}


@pytest.mark.skipif(not Path("/proc/net/tcp").is_file(), reason="needs Linux's /proc")
def test_a_real_connection_belongs_to_this_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), server.accept()[0]:
            counts = count_connections(port)

    assert counts == {os.getpid(): 1}
