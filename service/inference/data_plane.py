"""The data plane: from decoded inputs to the encoded response, in the same way for every protocol.

A protocol selects a version, begins the request here, decodes its body, and hands over inputs and an encoder.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from modelrepo.metadata import Metadata
from service.codecs.inputs import Inputs
from service.inference.instruments import PredictionInstruments
from service.inference.prediction import Classification, RankedClass
from service.inference.predictor import Predictor
from service.inference.shadow import Shadows
from service.inference.traffic_split import Choice
from service.telemetry.metrics import Metrics
from service.telemetry.request_state import RequestState
from service.telemetry.stage_timer import Stage, StageTimer

Response = TypeVar("Response")


@dataclass(frozen=True)
class InferenceContext:
    """One request to one version of a model: what it carries from the choice of the version to the response."""

    choice: Choice
    metadata: Metadata  # of the version that answers
    state: RequestState
    stages: StageTimer
    instruments: PredictionInstruments


@dataclass(frozen=True)
class DecodedRequest(Generic[Response]):
    """The images or pixels of a request, and how its protocol encodes what the model says of them."""

    inputs: Inputs
    encode_response: Callable[[Classification], Response]


class DataPlane:
    """Runs requests and reports each one to metrics, statistics, log and shadows."""

    def __init__(self, metrics: Metrics, shadows: Shadows) -> None:
        self._metrics = metrics
        self._shadows = shadows
        self._instruments: WeakKeyDictionary[Predictor, PredictionInstruments] = WeakKeyDictionary()

    def begin(self, choice: Choice, state: RequestState) -> InferenceContext:
        """Start a request, before its body is read: from here on, a failure counts for the chosen version."""
        instruments = self._instruments_of(choice.predictor)
        state.on_failure = instruments.fail
        return InferenceContext(choice, choice.predictor.metadata, state, StageTimer(state.queue_seconds), instruments)

    def infer(self, context: InferenceContext, request: DecodedRequest[Response]) -> Response:
        """Classify the inputs and return the encoded response; raises a RequestError.

        Only a success is reported here: its times and classes to the metrics and the state of the request, a copy to
        the shadow of the choice, if there is one.
        """
        metadata, stages = context.metadata, context.stages
        classification = context.choice.predictor.classify(request.inputs, stages)
        response = request.encode_response(classification)
        stages.record(Stage.ENCODE)
        top1 = classification.top1(metadata.labels)
        context.instruments.observe(top1, stages)
        context.state.server_timing = stages.server_timing()
        context.state.log_fields = _log_fields(metadata, top1)
        self._shadows.offer(context.choice, request.inputs, top1)
        return response

    def _instruments_of(self, predictor: Predictor) -> PredictionInstruments:
        instruments = self._instruments.get(predictor)
        if instruments is None:
            instruments = self._instruments[predictor] = PredictionInstruments(self._metrics, predictor.metadata)
        return instruments


def _log_fields(metadata: Metadata, top1: list[RankedClass]) -> dict[str, Any]:
    return {"model": metadata.name, "version": metadata.version, "images": len(top1), "label": top1[0].label}
