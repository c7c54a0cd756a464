"""What the metrics learn from one shadow beside one version that answers."""

from collections.abc import Iterable
from functools import cache, partial

from service.comparison import Comparison
from service.shadowmetrics import ShadowMetrics

DROPPED = ("full", "old", "retired")  # there was no room, it waited for too long, or its shadow is one no more


class ShadowMeter:
    """The metrics of one pair of versions, each label looked up once."""

    def __init__(self, metrics: ShadowMetrics, model: str, version: int, shadow_version: int) -> None:
        pair, shadow = (model, str(version), str(shadow_version)), (model, str(shadow_version))
        self._result = cache(partial(metrics.comparisons.labels, *pair))
        self._difference = metrics.difference.labels(*pair)
        self._seconds = metrics.seconds.labels(*shadow)
        self._dropped = {reason: metrics.dropped.labels(*shadow, reason) for reason in DROPPED}  # from 0 on
        self._failure = cache(partial(metrics.failures.labels, *shadow))

    def observe(self, comparisons: Iterable[Comparison], seconds: float) -> None:
        """Count the images of one copy, which the shadow took `seconds` for."""
        for each in comparisons:
            self._result("agree" if each.agrees else "flip").inc()
            self._difference.observe(each.difference)
        self._seconds.observe(seconds)

    def drop(self, reason: str) -> None:
        """Count a copy that was not classified, for one of the reasons DROPPED."""
        self._dropped[reason].inc()

    def fail(self, code: str) -> None:
        """Count a copy that the shadow could not classify."""
        self._failure(code).inc()
