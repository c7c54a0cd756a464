"""Whether this worker is ready: what `/readyz` says, and the metric `convserve_ready`."""

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.inference.registry import ModelRegistry


class Readiness(Collector):
    """Ready is who has a verified version of every model that is required, as long as no end is announced."""

    def __init__(self, registry: ModelRegistry, is_shutting_down: Callable[[], bool]) -> None:
        self._registry = registry
        self._is_shutting_down = is_shutting_down

    def problems(self) -> list[str]:
        """Why it is not ready, in sentences; nothing where it is."""
        return self._registry.problems() + ["shutting down"] * self._is_shutting_down()

    def collect(self) -> Iterator[Metric]:
        """Look now."""
        ready = not self.problems()
        yield GaugeMetricFamily("convserve_ready", "1 where /readyz says 200, 0 where it says 503.", value=ready)
