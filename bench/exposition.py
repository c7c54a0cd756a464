"""What a running service says of itself in the Prometheus text format."""

from prometheus_client.parser import text_string_to_metric_families

from bench.target import Target

CPU = "process_cpu_seconds_total"
MASTER = "master"


def cpu_by_process(text: str) -> dict[str, float]:
    """CPU seconds used so far, by the `worker` label; empty where the metric is missing."""
    families = text_string_to_metric_families(text)
    samples = [sample for family in families for sample in family.samples if sample.name == CPU]
    return {sample.labels.get("worker", ""): sample.value for sample in samples}


def read_cpu(target: Target) -> float | None:
    """CPU seconds of the master and all workers until now, or None where the service does not say."""
    seconds = cpu_by_process(_scrape(target))
    return sum(seconds.values()) if seconds else None


def count_workers(target: Target) -> int:
    """How many workers the service runs."""
    return len(cpu_by_process(_scrape(target)).keys() - {MASTER})


def _scrape(target: Target) -> str:
    status, body = target.get("/metrics")
    return body.decode() if status == 200 else ""
