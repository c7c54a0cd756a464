"""What the metrics and statistics learn from a prediction, whichever dialect asked for it."""

from collections.abc import Sequence
from functools import cache, partial

from modelrepo.metadata import Metadata
from service.inference.prediction import RankedClass
from service.telemetry.metrics import Metrics
from service.telemetry.stage_timer import StageTimer


class PredictionInstruments:
    """The metrics of one version of one model, each label looked up once (3 µs)."""

    def __init__(self, metrics: Metrics, metadata: Metadata) -> None:
        labels = (metadata.name, str(metadata.version))
        self._tally = metrics.statistics.tally(metadata.name, metadata.version)
        self._batch_size = metrics.batch_size.labels(*labels)
        self._confidence = metrics.confidence.labels(*labels)
        self._abstain_below = metadata.output.abstain_below
        if self._abstain_below is not None:  # from 0 on; a model that always answers has no such series
            self._abstained = metrics.abstained.labels(*labels)
        self._label = cache(partial(metrics.predictions.labels, *labels))
        self._failure = cache(partial(metrics.prediction_failures.labels, *labels))
        self._stage = cache(partial(metrics.stage_seconds.labels, *labels))

    def observe(self, winners: Sequence[RankedClass], stages: StageTimer) -> None:
        """Count the images of one request, who won with what confidence, and where the time went."""
        self._batch_size.observe(len(winners))
        for winner in winners:
            self._confidence.observe(winner.probability)
            self._label(winner.label).inc()
        if self._abstain_below is not None:
            self._count_abstained(winners, self._abstain_below)
        for stage, seconds in stages.seconds.items():
            self._stage(stage).observe(seconds)
        self._tally.succeed(len(winners), stages)

    def _count_abstained(self, winners: Sequence[RankedClass], below: float) -> None:
        unsure = sum(winner.is_below(below) for winner in winners)
        if unsure:
            self._abstained.inc(unsure)

    def fail(self, seconds: float, code: str) -> None:
        """Count a request that got an error, by its code, after `seconds`."""
        self._failure(code).inc()
        self._tally.fail(seconds)
