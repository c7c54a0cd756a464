"""Readiness: the one rule by which a worker is ready, for every health route and the metric `convserve_ready`."""

from collections.abc import Callable, Iterator
from time import time

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.inference.model_version import ModelVersion
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
            missing = dict.fromkeys(each.name for each in self._registry if each.failure or each.loading_since)
            unready = [name for name in missing if name in contents.required and name not in contents.splits]
            loading = {each.name: each for each in self._registry if each.loading_since}
            problems = [
                _describe(loading[name]) if name in loading else f"no version of {name} could be loaded"
                for name in unready
            ]
        return problems + ["shutting down"] * self.is_shutting_down

    def loading(self) -> list[str]:
        """What is loading and for how long, in sentences."""
        return [_describe(each) for each in self._registry if each.loading_since]

    def collect(self) -> Iterator[Metric]:
        """The metric at this moment."""
        ready = not self.problems()
        yield GaugeMetricFamily("convserve_ready", "1 where /readyz says 200, 0 where it says 503.", value=ready)


def _describe(version: ModelVersion) -> str:
    seconds = max(0.0, time() - version.loading_since)  # the clock may have been set back
    return f"{version.name} version {version.version} has been loading for {seconds:.0f} s"
