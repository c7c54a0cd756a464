"""CPU time from Prometheus text."""

import pytest

from bench.exposition import cpu_by_process

TEXT = """\
# HELP http_requests_total Answered HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="POST",route="/predict",status="200"} 17215.0
# HELP process_cpu_seconds_total CPU time used by each process.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total{worker="master"} 0.85
process_cpu_seconds_total{worker="0"} 1.07
process_cpu_seconds_total{worker="1"} 2.06
"""


def test_the_cpu_seconds_of_every_process_are_read() -> None:
    assert cpu_by_process(TEXT) == pytest.approx({"master": 0.85, "0": 1.07, "1": 2.06})


def test_a_process_without_a_label_counts_too() -> None:
    assert cpu_by_process("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 4\n") == {"": 4.0}


def test_a_service_that_does_not_say_gives_nothing() -> None:
    assert cpu_by_process("") == {}
