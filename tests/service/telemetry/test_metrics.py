"""The metrics of all workers together, through restarts."""

import re
from collections.abc import Callable

from prometheus_client import generate_latest

from service.telemetry.metrics import Metrics

WorkerMetrics = Callable[[int], Metrics]


def samples(metrics: Metrics) -> dict[str, float]:
    text = generate_latest(metrics.scrape).decode()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}


def count(metrics: Metrics, status: str) -> None:
    metrics.requests.labels("POST", "/predict", status).inc()


OK = 'http_requests_total{method="POST",route="/predict",status="200"}'


def test_workers_are_added_up(worker_metrics: WorkerMetrics) -> None:
    for slot in range(3):
        count(worker_metrics(slot), "200")

    assert samples(worker_metrics(0))[OK] == 3


def test_a_worker_that_takes_over_a_slot_goes_on_from_the_counts(worker_metrics: WorkerMetrics) -> None:
    count(worker_metrics(0), "200")

    successor = worker_metrics(0)
    count(successor, "200")

    assert samples(successor)[OK] == 2


def test_histograms_are_added_up_too(worker_metrics: WorkerMetrics) -> None:
    for slot in range(2):
        metrics = worker_metrics(slot)
        metrics.batch_size.labels("mnist", "1").observe(3)

    found = samples(metrics)

    assert found['convserve_batch_size_count{model="mnist",version="1"}'] == 2
    assert found['convserve_batch_size_bucket{le="4.0",model="mnist",version="1"}'] == 2
    assert found['convserve_batch_size_bucket{le="2.0",model="mnist",version="1"}'] == 0


def test_names_follow_the_conventions_of_prometheus(metrics: Metrics) -> None:
    count(metrics, "200")
    names = set(re.findall(r"^# TYPE (\S+) ", generate_latest(metrics.scrape).decode(), re.MULTILINE))

    assert "http_requests_total" in names
    assert all(re.fullmatch(r"(convserve|http|process)_[a-z_]+", name) for name in names)
