"""What the workers serve, as the metric `convserve_model_info`, made anew at every scrape: what is retired is gone."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.lifecycle.worker_status import WorkerStatuses


class ModelInfoCollector(Collector):
    """A sample of value 1 for each version, and each ONNX file, that at least one worker serves."""

    def __init__(self, reports: WorkerStatuses) -> None:
        self._reports = reports

    def collect(self) -> Iterator[Metric]:
        """Ask all workers' reports."""
        help_text = "1 for every loaded version of a model; its ONNX file's SHA-256."
        info = GaugeMetricFamily("convserve_model_info", help_text, labels=["model", "version", "sha256"])
        versions = {each for report in self._reports.read() for each in report.versions if each.sha256}
        for name, version, digest in sorted({(each.name, each.version, each.sha256) for each in versions}):
            info.add_metric([name, str(version), digest], 1)
        yield info
