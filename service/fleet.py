"""How many workers serve, and how many have died, as metrics read from the scoreboard at scrape time."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.scoreboard import Scoreboard


class Fleet(Collector):
    """The same numbers, whichever worker answers the scrape."""

    def __init__(self, scoreboard: Scoreboard) -> None:
        self._scoreboard = scoreboard

    def collect(self) -> Iterator[Metric]:
        """Count now; every cause of death has a sample from the start, so that its first one is a rise."""
        serving = len(self._scoreboard.workers())
        yield GaugeMetricFamily("convserve_workers", "Worker processes that take connections.", value=serving)
        text = "Workers that ended unasked since the master started, by cause: signal, exit, timeout."
        deaths = CounterMetricFamily("convserve_worker_deaths", text, labels=["cause"])
        for cause, count in self._scoreboard.deaths().items():
            deaths.add_metric([cause], count)
        yield deaths
