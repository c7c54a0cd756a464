"""Reports of load generators."""

import math

import pytest

from bench.clients.traffic import GeneratorFailed, Traffic, parse_report, percentile

WRK = """\
Running 5s test @ http://127.0.0.1:8000
  1 threads and 8 connections
  18014 requests in 5.00s, 12.38MB read
Requests/sec:   3602.12

{"requests": 18014, "seconds": 5.001020, "p50_ms": 1.670000, "p99_ms": 6.320000, "max_ms": 12.500000, "errors": 2}
"""


def test_the_line_of_json_behind_wrks_own_words_is_the_report() -> None:
    traffic = parse_report(WRK)

    assert traffic == Traffic(requests=18014, seconds=5.00102, p50_ms=1.67, p99_ms=6.32, max_ms=12.5, errors=2)


def test_output_without_a_report_is_an_error_that_shows_it() -> None:
    with pytest.raises(GeneratorFailed, match="unable to connect"):
        parse_report("unable to connect to 127.0.0.1:1 Connection refused")


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        pytest.param([3.0], 0.99, 3.0, id="one value"),
        pytest.param([4.0, 1.0, 3.0, 2.0], 0.5, 2.0, id="the lower of two middles"),
        pytest.param([float(n) for n in range(1, 101)], 0.99, 99.0, id="99 of 100"),
        pytest.param([1.0, 2.0], 1.0, 2.0, id="the largest"),
        pytest.param([1.0, 2.0], 0.0, 1.0, id="the smallest"),
    ],
)
def test_percentiles_are_values_that_were_measured(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_no_values_have_no_percentile() -> None:
    assert math.isnan(percentile([], 0.5))
