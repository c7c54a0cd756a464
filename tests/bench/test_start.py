"""Start times."""

from bench.start import start_sentence


def test_the_sentence_names_least_median_and_most() -> None:
    assert start_sentence([0.7, 0.6, 1.1]) == (
        "from process start to ready, 3 starts: min 0.60 s, median 0.70 s, max 1.10 s"
    )
