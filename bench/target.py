"""The service under test, seen from outside: its address, its metrics and its connections.

The metrics are those of /metrics in the Prometheus text format; the connections of each process are read from Linux's
/proc (proc(5), /proc/net/tcp).
"""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

CPU = "process_cpu_seconds_total"
MASTER = "master"
ESTABLISHED = "01"  # the state of a connection in /proc/net/tcp
_LOCAL, _STATE, _INODE = 1, 3, 9  # columns of /proc/net/tcp


@dataclass(frozen=True)
class Target:
    """Host and port of a service; plain HTTP only, because TLS would be measured with it."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://{_bracketed(self.host)}:{self.port}"

    @property
    def local(self) -> bool:
        """Whether the service runs on this machine, so that its CPU time compares with what is measured here."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of one GET on its own connection; raises OSError where no service answers."""
        connection = HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def parse_target(url: str) -> Target:
    """Read an address such as `http://127.0.0.1:8000`; raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError(f"{url!r} is not an address such as http://127.0.0.1:8000")
    return Target(parts.hostname, parts.port or 80)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def cpu_by_process(text: str) -> dict[str, float]:
    """CPU seconds used so far, by the `worker` label; empty where the metric is missing."""
    families = text_string_to_metric_families(text)
    samples = [sample for family in families for sample in family.samples if sample.name == CPU]
    return {sample.labels.get("worker", ""): sample.value for sample in samples}


def read_cpu(target: Target) -> float | None:
    """CPU seconds of the master and all workers until now, or None where the service does not report it."""
    seconds = cpu_by_process(_scrape(target))
    return sum(seconds.values()) if seconds else None


def count_workers(target: Target) -> int:
    """How many workers the service runs."""
    return len(cpu_by_process(_scrape(target)).keys() - {MASTER})


def _scrape(target: Target) -> str:
    status, body = target.get("/metrics")
    return body.decode() if status == 200 else ""


def count_connections(port: int, proc: Path = Path("/proc")) -> dict[int, int]:
    """The server's ends of established connections, by process id; connections still in the backlog are not counted."""
    wanted = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _inodes(proc / "net" / table, port)}
    return dict(Counter(pid for pid, link in _open_files(proc) if link in wanted))


def _inodes(table: Path, port: int) -> Iterator[str]:
    lines = table.read_text().splitlines()[1:] if table.is_file() else []
    for columns in map(str.split, lines):
        local_port = int(columns[_LOCAL].rpartition(":")[2], 16)
        if local_port == port and columns[_STATE] == ESTABLISHED and columns[_INODE] != "0":
            yield columns[_INODE]


def _open_files(proc: Path) -> Iterator[tuple[int, str]]:
    """Process ids and the targets of their descriptors; processes of other users, and those that end, are left out."""
    for folder in proc.glob("[0-9]*/fd"):
        for descriptor in _entries(folder):
            try:
                yield int(folder.parent.name), str(descriptor.readlink())
            except OSError:
                continue


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
