"""Collectors: metrics that are read at scrape time, from the scoreboard and from /proc.

prometheus_client's own process collector sees only the process that answers the scrape.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.ipc.scoreboard import Scoreboard
from service.ipc.worker_warnings import WorkerWarnings
from service.telemetry.multiprocess_values import SlotFiles

_UTIME, _STIME, _RSS = 11, 12, 21  # places in /proc/<pid>/stat counted from behind the name, see proc(5)


class WorkerCollector(Collector):
    """How many workers take connections, and how many exited unexpectedly; the same whichever worker is scraped."""

    def __init__(self, scoreboard: Scoreboard) -> None:
        self._scoreboard = scoreboard

    def collect(self) -> Iterator[Metric]:
        """Count now; every cause has a sample from the start, so that the first exit is a rise."""
        serving = len(self._scoreboard.workers())
        yield GaugeMetricFamily("convserve_workers", "Worker processes that take connections.", value=serving)
        text = "Workers that exited unexpectedly since the master started, by cause: signal, exit, timeout, memory."
        yield _counter("convserve_worker_deaths", text, "cause", self._scoreboard.exits().items())


class UnsavedCollector(Collector):
    """`convserve_metrics_in_memory`: what the worker that is scraped counts in memory, for want of room on the disk."""

    def __init__(self, files: SlotFiles) -> None:
        self._files = files

    def collect(self) -> Iterator[Metric]:
        """Write what there is room for now, and count the rest."""
        text = "Values that the worker that is scraped counts in memory, because their files cannot be written."
        yield GaugeMetricFamily("convserve_metrics_in_memory", text, value=self._files.save())


class WarningCollector(Collector):
    """`convserve_warnings`: a sample of value 1 for each warning of the worker that is scraped."""

    def __init__(self, warnings: WorkerWarnings) -> None:
        self._warnings = warnings

    def collect(self) -> Iterator[Metric]:
        """The warnings now."""
        text = "1 for each warning that /readyz has, in the worker that is scraped."
        warnings = GaugeMetricFamily("convserve_warnings", text, labels=["subject"])
        for subject in self._warnings.sentences:
            warnings.add_metric([subject], 1)
        yield warnings


class LogCollector(Collector):
    """What the log does not have, and the slow requests that it names."""

    def __init__(self, scoreboard: Scoreboard) -> None:
        self._scoreboard = scoreboard

    def collect(self) -> Iterator[Metric]:
        """Add up over all processes now."""
        text = "Lines of log and access log that were dropped, because nobody read them or they could not be written."
        yield CounterMetricFamily("convserve_log_lines_dropped", text, value=self._scoreboard.dropped_lines())
        text = "Requests that ran for more than a second, each of which is named in the log."
        yield CounterMetricFamily("convserve_slow_requests", text, value=self._scoreboard.slow_requests())


class StartFailureCollector(Collector):
    """How often a worker could not be started; the same whichever worker is scraped."""

    def __init__(self, scoreboard: Scoreboard) -> None:
        self._scoreboard = scoreboard

    def collect(self) -> Iterator[Metric]:
        """Count now; every cause has a sample from the start."""
        text = "Attempts to start a worker that failed since the master started, by cause: fork, boot, slot."
        yield _counter("convserve_worker_start_failures", text, "cause", self._scoreboard.start_failures().items())


class ConnectionCollector(Collector):
    """Connections that were closed before their clients were done; the same whichever worker is scraped."""

    def __init__(self, scoreboard: Scoreboard) -> None:
        self._scoreboard = scoreboard

    def collect(self) -> Iterator[Metric]:
        """Count now; every reason has a sample from the start."""
        text = "Connections closed by the service, by reason: head_timeout, read_timeout, write_timeout, room."
        yield _counter("convserve_connections_closed", text, "reason", self._scoreboard.closed().items())


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


def _counter(name: str, text: str, label: str, counts: Iterable[tuple[str, int]]) -> Metric:
    """A counter with a sample for each value of its one label."""
    counter = CounterMetricFamily(name, text, labels=[label])
    for value, count in counts:
        counter.add_metric([value], count)
    return counter


def _read_stat(pid: int) -> list[str]:
    """The fields of a process behind its name, which may itself hold spaces and brackets."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
