"""Which process holds how many connections of a local port, from Linux's /proc (proc(5), /proc/net/tcp)."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ESTABLISHED = "01"
_LOCAL, _STATE, _INODE = 1, 3, 9  # columns of /proc/net/tcp


def count_connections(port: int, proc: Path = Path("/proc")) -> dict[int, int]:
    """The server's ends of established connections, by process id; those still in the backlog belong to nobody."""
    wanted = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _inodes(proc / "net" / table, port)}
    return dict(Counter(pid for pid, link in _open_files(proc) if link in wanted))


def _inodes(table: Path, port: int) -> Iterator[str]:
    lines = table.read_text().splitlines()[1:] if table.is_file() else []
    for columns in map(str.split, lines):
        local_port = int(columns[_LOCAL].rpartition(":")[2], 16)
        if local_port == port and columns[_STATE] == ESTABLISHED and columns[_INODE] != "0":
            yield columns[_INODE]


def _open_files(proc: Path) -> Iterator[tuple[int, str]]:
    """Process ids and what their descriptors point to; processes of other users, and those that end, are left out."""
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
