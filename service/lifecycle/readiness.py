"""Readiness: the one rule by which a worker is ready, for every health route and the metric `convserve_ready`."""

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.inference.registry import ModelRegistry


class Readiness(Collector):
    """A worker is ready with a loaded version of every required model, until the service shuts down."""

    def __init__(self, registry: ModelRegistry, is_shutting_down: Callable[[], bool]) -> None:
        self._registry = registry
        self._is_shutting_down = is_shutting_down

    @property
    def is_shutting_down(self) -> bool:
        """Whether the service shuts down."""
        return self._is_shutting_down()

    def problems(self) -> list[str]:
        """Why the worker is not ready, in sentences; nothing where it is ready."""
        contents = self._registry.contents
        if not contents.models:
            problems = ["the model repository is empty"]
        else:
            failed = dict.fromkeys(each.name for each in self._registry if each.failure)
            unready = [name for name in failed if name in contents.required and name not in contents.splits]
            problems = [f"no version of {name} could be loaded" for name in unready]
        return problems + ["shutting down"] * self.is_shutting_down

    def collect(self) -> Iterator[Metric]:
        """The metric at this moment."""
        ready = not self.problems()
        yield GaugeMetricFamily("convserve_ready", "1 where /readyz says 200, 0 where it says 503.", value=ready)
