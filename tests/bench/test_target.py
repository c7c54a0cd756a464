"""Addresses of services, their CPU time from the Prometheus text, and the connections of each process."""

import os
import socket
from pathlib import Path

import pytest

from bench.target import Target, count_connections, cpu_by_process, parse_target


@pytest.mark.parametrize(
    ("url", "target"),
    [
        pytest.param("http://127.0.0.1:8000", Target("127.0.0.1", 8000), id="with a port"),
        pytest.param("http://example.org/", Target("example.org", 80), id="without one"),
        pytest.param("http://[::1]:9000", Target("::1", 9000), id="IPv6"),
    ],
)
def test_an_address_is_read(url: str, target: Target) -> None:
    assert parse_target(url) == target


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "https://example.org", "http://", "http://example.org/predict"])
def test_an_invalid_address_is_an_error(url: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        parse_target(url)


@pytest.mark.parametrize(
    ("host", "local"), [("localhost", True), ("127.0.0.1", True), ("::1", True), ("10.0.0.7", False), ("box", False)]
)
def test_only_loopback_addresses_are_this_machine(host: str, local: bool) -> None:
    assert Target(host, 8000).local is local


def test_an_ipv6_address_goes_into_brackets() -> None:
    assert Target("::1", 8000).url == "http://[::1]:8000"


TEXT = """\
# HELP http_requests_total Answered HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="POST",route="/predict",status="200"} 17215.0
# HELP process_cpu_seconds_total CPU time used by each process.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total{worker="master"} 0.85
process_cpu_seconds_total{worker="0"} 1.07
process_cpu_seconds_total{worker="1"} 2.06
"""


def test_the_cpu_seconds_of_every_process_are_read() -> None:
    assert cpu_by_process(TEXT) == pytest.approx({"master": 0.85, "0": 1.07, "1": 2.06})


def test_a_process_without_a_label_counts_too() -> None:
    assert cpu_by_process("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 4\n") == {"": 4.0}


def test_a_service_without_the_metric_has_no_cpu_seconds() -> None:
    assert cpu_by_process("") == {}


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
