"""Collectors: metrics that are read at scrape time, from the scoreboard and from /proc.

prometheus_client's own process collector sees only the process that answers the scrape.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.ipc.scoreboard import Scoreboard

_UTIME, _STIME, _RSS = 11, 12, 21  # places in /proc/<pid>/stat counted from behind the name, see proc(5)


class WorkerCollector(Collector):
    """How many workers take connections, and how many exited unexpectedly; the same whichever worker is scraped."""

    def __init__(self, scoreboard: Scoreboard) -> None:
        self._scoreboard = scoreboard

    def collect(self) -> Iterator[Metric]:
        """Count now; every cause has a sample from the start, so that the first exit is a rise."""
        serving = len(self._scoreboard.workers())
        yield GaugeMetricFamily("convserve_workers", "Worker processes that take connections.", value=serving)
        text = "Workers that exited unexpectedly since the master started, by cause: signal, exit, timeout."
        exits = CounterMetricFamily("convserve_worker_deaths", text, labels=["cause"])
        for cause, count in self._scoreboard.exits().items():
            exits.add_metric([cause], count)
        yield exits


class ProcessCollector(Collector):
    """CPU and memory of each process; the label `worker` is a worker's slot, or `master`."""

    def __init__(self, scoreboard: Scoreboard) -> None:
        self._scoreboard = scoreboard
        self._ticks = os.sysconf("SC_CLK_TCK")
        self._page = os.sysconf("SC_PAGE_SIZE")

    def collect(self) -> Iterator[Metric]:
        """Read all processes now; one that is gone in between is left out."""
        cpu = CounterMetricFamily("process_cpu_seconds", "CPU time used by each process.", labels=["worker"])
        memory = GaugeMetricFamily("process_resident_memory_bytes", "Memory of each process.", labels=["worker"])
        for worker, pid in self._processes().items():
            stat = _read_stat(pid)
            if stat:
                cpu.add_metric([worker], (int(stat[_UTIME]) + int(stat[_STIME])) / self._ticks)
                memory.add_metric([worker], int(stat[_RSS]) * self._page)
        yield cpu
        yield memory

    def _processes(self) -> dict[str, int]:
        workers = {str(slot): pid for slot, pid in self._scoreboard.workers().items()}
        return {"master": os.getppid(), **workers} if workers else {}


def _read_stat(pid: int) -> list[str]:
    """The fields of a process behind its name, which may itself hold spaces and brackets."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
