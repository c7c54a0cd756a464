"""What is counted of a shadow, and under whose version."""

from service.inference.shadow import Comparison, ShadowInstruments
from service.telemetry.metrics import Metrics

PAIR = {"model": "mnist", "version": "1", "shadow_version": "2"}
SHADOW = {"model": "mnist", "version": "2"}


def test_comparisons_are_counted_by_the_image_and_times_by_the_copy(metrics: Metrics) -> None:
    instruments = ShadowInstruments(metrics.shadows, "mnist", 1, 2)
    instruments.observe([Comparison(True, 0.0), Comparison(False, 0.5), Comparison(False, 0.25)], 0.125)
    sample = metrics.scrape.get_sample_value

    assert sample("convserve_shadow_comparisons_total", {**PAIR, "result": "agree"}) == 1
    assert sample("convserve_shadow_comparisons_total", {**PAIR, "result": "flip"}) == 2
    assert sample("convserve_shadow_difference_sum", PAIR) == 0.75
    assert sample("convserve_shadow_difference_bucket", {**PAIR, "le": "0.25"}) == 2
    assert sample("convserve_shadow_seconds_sum", SHADOW) == 0.125


def test_what_is_lost_is_counted_by_why(metrics: Metrics) -> None:
    instruments = ShadowInstruments(metrics.shadows, "mnist", 1, 2)
    instruments.drop("full")
    instruments.fail("invalid_array")
    sample = metrics.scrape.get_sample_value

    assert sample("convserve_shadow_dropped_total", {**SHADOW, "reason": "full"}) == 1
    assert sample("convserve_shadow_failures_total", {**SHADOW, "reason": "invalid_array"}) == 1
