"""Instruments: the metrics and statistics of the predictions of one version."""

from collections.abc import Sequence
from functools import cache, partial

from modelrepo.metadata import Metadata
from service.inference.prediction import RankedClass
from service.telemetry.metrics import Metrics
from service.telemetry.stage_timer import StageTimer


class PredictionInstruments:
    """The metrics of one version of one model; each label is looked up once, for a look-up takes 3 µs."""

    def __init__(self, metrics: Metrics, metadata: Metadata) -> None:
        labels = (metadata.name, str(metadata.version))
        self._tally = metrics.statistics.tally(metadata.name, metadata.version)
        self._batch_size = metrics.batch_size.labels(*labels)
        self._confidence = metrics.confidence.labels(*labels)
        self._abstain_below = metadata.output.abstain_below
        if self._abstain_below is not None:  # from 0 on; a model without a threshold has no such series
            self._abstained = metrics.abstained.labels(*labels)
        self._label = cache(partial(metrics.predictions.labels, *labels))
        self._failure = cache(partial(metrics.prediction_failures.labels, *labels))
        self._stage = cache(partial(metrics.stage_seconds.labels, *labels))

    def observe(self, top1: Sequence[RankedClass], stages: StageTimer) -> None:
        """Count the images of one request, the labels and their confidence, and the time of each stage."""
        self._batch_size.observe(len(top1))
        for best in top1:
            self._confidence.observe(best.probability)
            self._label(best.label).inc()
        if self._abstain_below is not None:
            self._count_abstained(top1, self._abstain_below)
        for stage, seconds in stages.seconds.items():
            self._stage(stage).observe(seconds)
        self._tally.succeed(len(top1), stages)

    def _count_abstained(self, top1: Sequence[RankedClass], below: float) -> None:
        unsure = sum(best.is_below(below) for best in top1)
        if unsure:
            self._abstained.inc(unsure)

    def fail(self, seconds: float, code: str) -> None:
        """Count a request that got an error, by its code, after `seconds`."""
        self._failure(code).inc()
        self._tally.fail(seconds)
