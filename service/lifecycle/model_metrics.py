"""The metrics about models: which versions the workers have, and how loading them went."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from modelrepo.policy import SERVING
from service.inference.model_version import LoadedVersion
from service.lifecycle.planner import Plan
from service.lifecycle.worker_status import WorkerStatuses
from service.telemetry.metrics import Metrics


class ModelInfoCollector(Collector):
    """`convserve_model_info`: a sample of value 1 for each version, and each ONNX file, that a worker has loaded.

    It is read from the workers' statuses at every scrape, so versions that were released have no sample.
    """

    def __init__(self, statuses: WorkerStatuses) -> None:
        self._statuses = statuses

    def collect(self) -> Iterator[Metric]:
        """The metric at this moment."""
        help_text = "1 for every loaded version of a model; its ONNX file's SHA-256."
        info = GaugeMetricFamily("convserve_model_info", help_text, labels=["model", "version", "sha256"])
        versions = {each for status in self._statuses.read() for each in status.versions if each.sha256}
        for name, version, digest in sorted({(each.name, each.version, each.sha256) for each in versions}):
            info.add_metric([name, str(version), digest], 1)
        yield info


class ModelLoadingCollector(Collector):
    """`convserve_model_loading_since_seconds`: for each version that any worker is loading, since when."""

    def __init__(self, statuses: WorkerStatuses) -> None:
        self._statuses = statuses

    def collect(self) -> Iterator[Metric]:
        """The metric at this moment."""
        help_text = "Since when, in Unix seconds, a version is being loaded; versions that are not have no sample."
        loading = GaugeMetricFamily("convserve_model_loading_since_seconds", help_text, labels=["model", "version"])
        versions = [each for status in self._statuses.read() for each in status.versions if each.loading_since]
        versions.sort(key=lambda each: each.loading_since, reverse=True)
        for (name, version), seconds in {(each.name, each.version): each.loading_since for each in versions}.items():
            loading.add_metric([name, str(version)], seconds)
        yield loading


def count_loads(metrics: Metrics, plan: Plan) -> None:
    """Count the bundles that were loaded or failed to load for a plan, and what of the repository cannot be read."""
    for attempt in plan.attempts:
        version = attempt.version
        if isinstance(version, LoadedVersion):
            metrics.model_load_seconds.labels(version.name).observe(attempt.seconds)
        else:
            metrics.model_load_failures.labels(version.name, str(version.version), version.failure).inc()
    problems = plan.problems
    for name in problems.models:
        metrics.model_load_failures.labels(name, "", "unreadable").inc()
    if problems.policy:
        metrics.model_load_failures.labels("", "", SERVING).inc()
    if problems.repository:
        metrics.model_load_failures.labels("", "", "repository").inc()
