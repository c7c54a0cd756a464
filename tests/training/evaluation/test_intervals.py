import pytest

from training.evaluation.metrics import Interval, wilson_interval


@pytest.mark.parametrize(
    ("hits", "examples", "interval"),
    [
        # The last is Newcombe's, "Two-sided confidence intervals for the single proportion", 1998, table I.
        pytest.param(0, 10, (0.0, 0.2775), id="none"),
        pytest.param(10, 10, (0.7225, 1.0), id="all"),
        pytest.param(5, 10, (0.2366, 0.7634), id="half"),
        pytest.param(81, 263, (0.2553, 0.3662), id="newcombe"),
    ],
)
def test_the_interval_is_wilsons(hits: int, examples: int, interval: Interval) -> None:
    assert wilson_interval(hits, examples) == pytest.approx(interval, abs=5e-5)


def test_more_images_make_it_narrower() -> None:
    narrow, wide = wilson_interval(9_900, 10_000), wilson_interval(990, 1_000)

    assert wide[0] < narrow[0] < 0.99 < narrow[1] < wide[1]
