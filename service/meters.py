"""What the metrics and statistics learn from a prediction, whichever dialect asked for it."""

from collections.abc import Sequence
from functools import cache, partial

from service.metrics import Metrics
from service.prediction import RankedClass
from service.stages import Stages


class PredictionMeter:
    """The metrics of one version of one model, each label looked up once (3 µs)."""

    def __init__(self, metrics: Metrics, model: str, version: int) -> None:
        labels = (model, str(version))
        self._tally = metrics.statistics.tally(model, version)
        self._batch_size = metrics.batch_size.labels(*labels)
        self._confidence = metrics.confidence.labels(*labels)
        self._label = cache(partial(metrics.predictions.labels, *labels))
        self._failure = cache(partial(metrics.prediction_failures.labels, *labels))
        self._stage = cache(partial(metrics.stage_seconds.labels, *labels))

    def observe(self, winners: Sequence[RankedClass], stages: Stages) -> None:
        """Count the images of one request, who won with what confidence, and where the time went."""
        self._batch_size.observe(len(winners))
        for winner in winners:
            self._confidence.observe(winner.probability)
            self._label(winner.label).inc()
        for stage, seconds in stages.seconds.items():
            self._stage(stage).observe(seconds)
        self._tally.succeed(len(winners), stages)

    def fail(self, seconds: float, code: str) -> None:
        """Count a request that got an error, by its code, after `seconds`."""
        self._failure(code).inc()
        self._tally.fail(seconds)
