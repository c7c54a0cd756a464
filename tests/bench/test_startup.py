"""Start times."""

from bench.startup import start_summary


def test_the_summary_has_minimum_median_and_maximum() -> None:
    assert start_summary([0.7, 0.6, 1.1]) == (
        "from process start to ready, 3 starts: min 0.60 s, median 0.70 s, max 1.10 s"
    )
