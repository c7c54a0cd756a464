"""The load benchmark's own arithmetic, with a fake service and generator."""

from itertools import count

import pytest

from bench.clients.images import Workload
from bench.clients.traffic import Traffic
from bench.load import LoadFigures, baseline_summary, load_table, measure_load
from bench.target import Target


class BusyService(Target):
    """A service that has used one more second of CPU at every scrape."""

    seconds = count(1)

    def get(self, _path: str) -> tuple[int, bytes]:
        text = (
            f'# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total{{worker="0"}} {next(self.seconds)}\n'
        )
        return 200, text.encode()


class ServiceWithoutMetrics(Target):
    """A service without metrics."""

    def get(self, _path: str) -> tuple[int, bytes]:
        return 404, b""


def _generate(_target: Target, _workload: Workload, connections: int, seconds: float) -> Traffic:
    return Traffic(requests=2500, seconds=seconds, p50_ms=0.5, p99_ms=2, max_ms=9, errors=connections // 32)


def _measure(target: Target, images: int = 1) -> LoadFigures:
    workload = Workload("/predict", "image/png", (b"a",), images)
    return measure_load(_generate, target, workload, [1, 32], 5.0, baseline=iter([100.0, 200.0, 300.0]).__next__)


def test_cpu_time_is_divided_by_the_requests_and_by_the_median_of_the_baseline() -> None:
    figures = _measure(BusyService("localhost", 8000))

    assert [level.cpu_us for level in figures.levels] == [400.0, 400.0]
    assert figures.ratio(figures.levels[0]) == 2.0


def test_the_baseline_runs_before_between_and_after_the_levels() -> None:
    assert _measure(ServiceWithoutMetrics("localhost", 8000)).baseline_us == (100.0, 200.0, 300.0)


def test_a_batch_counts_by_its_images() -> None:
    figures = _measure(BusyService("localhost", 8000), images=32)

    assert figures.levels[0].cpu_us == pytest.approx(12.5)
    assert "16000" in load_table(figures)


def test_a_service_without_metrics_has_no_ratio_but_a_table() -> None:
    figures = _measure(ServiceWithoutMetrics("localhost", 8000))

    assert figures.ratio(figures.levels[0]) is None
    assert [cell.strip() for cell in load_table(figures).splitlines()[2].split("|")[2:4]] == ["–", "–"]


def test_errors_of_all_levels_are_added() -> None:
    assert _measure(ServiceWithoutMetrics("localhost", 8000)).errors == 1


def test_the_summary_has_the_median_of_the_baseline_and_its_range() -> None:
    assert "200 µs of CPU an image (median of 3 rounds, 100 to 300)" in baseline_summary(
        _measure(ServiceWithoutMetrics("x", 1))
    )
    assert baseline_summary(LoadFigures(1, (), ())) == "baseline: not measured"
