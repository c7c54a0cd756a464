"""The one place that runs a request, whatever dialect it came in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from service.codecs.inputs import Inputs
from service.inference.instruments import PredictionInstruments
from service.inference.prediction import Classification
from service.inference.predictor import Predictor
from service.inference.shadow import Shadows
from service.inference.traffic_split import Choice
from service.telemetry.metrics import Metrics
from service.telemetry.request_state import RequestState
from service.telemetry.stage_timer import Stage, StageTimer

Response = TypeVar("Response")


@dataclass(frozen=True)
class DecodedRequest(Generic[Response]):
    """What a request asks for: images or pixels to classify, and how its dialect writes the answer."""

    inputs: Inputs
    write: Callable[[Classification], Response]


class DataPlane:
    """Understand, classify, write, and account for it: a dialect brings how it understands and how it writes."""

    def __init__(self, metrics: Metrics, shadows: Shadows) -> None:
        self._metrics = metrics
        self._shadows = shadows
        self._meters: WeakKeyDictionary[Predictor, PredictionInstruments] = WeakKeyDictionary()

    def run(self, choice: Choice, understand: Callable[[], DecodedRequest[Response]], state: RequestState) -> Response:
        """Do what a request asks for and return the answer; raises a RequestError.

        The record learns the times and what the log shall say, and whom to tell should the request fail: from here on
        every failure is the model's in its statistics. The shadow of the choice gets a copy of what succeeds.
        """
        predictor = choice.predictor
        meter = self._meter(predictor)
        state.on_failure = meter.fail
        stages = StageTimer(state.queue_seconds)
        task = understand()
        classification = predictor.classify(task.inputs, stages)
        answer = task.write(classification)
        stages.record(Stage.ENCODE)
        winners = classification.winners(predictor.metadata.labels)
        meter.observe(winners, stages)
        state.server_timing = stages.server_timing()
        state.log_fields = _log_fields(predictor, len(winners), winners[0].label)
        self._shadows.offer(choice, task.inputs, winners)
        return answer

    def _meter(self, predictor: Predictor) -> PredictionInstruments:
        meter = self._meters.get(predictor)
        if meter is None:
            meter = self._meters[predictor] = PredictionInstruments(self._metrics, predictor.metadata)
        return meter


def _log_fields(predictor: Predictor, images: int, label: str) -> dict[str, Any]:
    metadata = predictor.metadata
    return {"model": metadata.name, "version": metadata.version, "images": images, "label": label}
