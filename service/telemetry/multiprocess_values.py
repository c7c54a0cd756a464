"""The values of metrics and statistics, in memory-mapped files of this worker that all workers can read.

prometheus_client's class for several processes does the same, but takes a lock and reads the process id at every
change. A worker has one thread and one slot, so both are left out, which makes a request 11 µs cheaper. It also maps
files that have no blocks on the disk yet: where the disk is full, the first write to such a page kills the process
(SIGBUS). Here the blocks are allocated first, and what has no room is counted in memory until there is some.
"""

import mmap
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client.mmap_dict import MmapedDict, mmap_key

from service.ipc.worker_warnings import WorkerWarnings

INITIAL_SIZE = 1 << 16  # bytes; a file is doubled when it is full
OVERHEAD = 32  # bytes of a value beside its key, at most
SUBJECT = "metrics"  # of the warning
# A file that is cut off or overwritten is as useless as one for which there is no room.
UNUSABLE = (OSError, ValueError, RuntimeError, IndexError, struct.error)


class ValueFile(MmapedDict):
    """A file of values, by key, whose blocks are on the disk before it is mapped; raises what is in UNUSABLE."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            _create(path)
        super().__init__(str(path))  # type: ignore[no-untyped-call]

    def _init_value(self, key: str) -> None:
        needed = self._used + len(key.encode()) + OVERHEAD
        if needed > self._capacity:
            capacity = self._capacity
            while needed > capacity:
                capacity *= 2
            _allocate(self._f.fileno(), capacity)
            self._m = mmap.mmap(self._f.fileno(), capacity)
            self._capacity = capacity
        super()._init_value(key)  # type: ignore[no-untyped-call]


class MemoryValues:
    """Values that no file has room for; no scrape sees them until there is room and they move to their file."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[float, float]] = {}
        self._moved: dict[str, tuple[ValueFile, float]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        """Replace a value, wherever it is now."""
        if key in self._moved:
            file, inherited = self._moved[key]
            file.write_value(key, inherited + value, timestamp)
        else:
            self._values[key] = (value, timestamp)

    def move(self, file: ValueFile) -> None:
        """Move the values to their file, on top of those of an earlier worker; raises what is in UNUSABLE."""
        for key, (value, timestamp) in list(self._values.items()):
            self._moved[key] = (file, file.read_value(key)[0])
            del self._values[key]
            self.write_value(key, value, timestamp)


class SlotFiles:
    """The files of one slot, as prometheus_client names and writes them; the next worker in it continues them."""

    def __init__(self, folder: Path, slot: int, warnings: WorkerWarnings | None = None) -> None:
        self.folder = folder
        self._slot = slot
        self._warnings = warnings or WorkerWarnings()
        self._open: dict[str, ValueFile] = {}
        self._memory: dict[str, MemoryValues] = {}

    def open(self, kind: str, suffix: str = "db") -> None:
        """Open the file of this kind, so that no request has to; what ends in `db` is what Prometheus scrapes."""
        name = self._name(kind, suffix)
        try:
            self._file(name)
        except UNUSABLE as error:
            self._keep_in_memory(name, error)

    def place(self, key: str, kind: str, suffix: str = "db") -> tuple[ValueFile | MemoryValues, float]:
        """Where the value of this key is to be written, and what it is now: an earlier worker's, or 0."""
        name = self._name(kind, suffix)
        if name in self._memory and name not in self._open:  # that it cannot be opened is known
            return self._memory[name], 0.0
        try:
            file = self._file(name)
            return file, file.read_value(key)[0]
        except UNUSABLE as error:
            return self._keep_in_memory(name, error), 0.0

    def save(self) -> int:
        """Move what is in memory to the files, where there is room now; returns how many values stay in memory."""
        for name, values in self._memory.items():
            with suppress(*UNUSABLE):
                values.move(self._file(name))
        left = sum(map(len, self._memory.values()))
        if self._memory.keys() <= self._open.keys() and not left:
            self._warnings.remove(SUBJECT)
        return left

    def close(self) -> None:
        """Close all files; nothing can be counted any more."""
        for file in self._open.values():
            file.close()

    def _name(self, kind: str, suffix: str) -> str:
        return f"{kind}_{self._slot}.{suffix}"

    def _file(self, name: str) -> ValueFile:
        if name not in self._open:
            self._open[name] = ValueFile(self.folder / name)
        return self._open[name]

    def _keep_in_memory(self, name: str, error: Exception) -> MemoryValues:
        if isinstance(error, IsADirectoryError):  # no want of room: the folder is not the service's own
            raise error
        reason = error.strerror if isinstance(error, OSError) else "it is damaged"
        sentence = f"{name} cannot be written ({reason}): values are counted in memory, and no scrape has them"
        self._warnings.add(SUBJECT, sentence)
        return self._memory.setdefault(name, MemoryValues())


def slot_value(files: SlotFiles) -> type[Any]:
    """The class that `prometheus_client.values.ValueClass` has to be for metrics in these files."""

    class SlotValue:
        """One number, for instance of one bucket under one set of labels."""

        _multiprocess = True  # which prometheus_client asks for

        def __init__(self, kind: str, *described: Any, multiprocess_mode: str = "", **_: Any) -> None:
            """`described` is what prometheus_client makes a key of: names, labels, their values, help."""
            self._key = mmap_key(*described)
            kind = f"{kind}_{multiprocess_mode}" if kind == "gauge" else kind
            self._file, self._value = files.place(self._key, kind)

        def inc(self, amount: float) -> None:
            """Add to the number."""
            self.set(self._value + amount)

        def set(self, value: float, timestamp: float | None = None) -> None:
            """Replace the number."""
            self._value = value
            self._file.write_value(self._key, value, timestamp or 0.0)

        def get(self) -> float:
            """The number, without those of other workers."""
            return self._value

    return SlotValue


def _create(path: Path) -> None:
    """Make an empty file; no scrape reads it before its blocks are allocated."""
    fresh = path.with_name(f".{path.name}")
    try:
        with fresh.open("wb") as file:
            _allocate(file.fileno(), INITIAL_SIZE)
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise


def _allocate(descriptor: int, size: int) -> None:
    """Give a file blocks on the disk up to this size; raises OSError where there is no room, and it stays as it was."""
    before = os.fstat(descriptor).st_size
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:  # as on macOS
            with open(descriptor, "r+b", closefd=False) as file:
                file.seek(before)
                file.write(bytes(size - before))
    except OSError:
        os.ftruncate(descriptor, before)
        raise
