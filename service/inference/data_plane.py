"""The data plane: from decoded inputs to the encoded response, in the same way for every protocol.

A protocol selects a version, begins the request here, decodes its body, and hands over inputs and an encoder.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from time import perf_counter
from typing import Any, Generic, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from modelrepo.metadata import Metadata
from preprocessing.errors import CostlyImage
from service.codecs.inputs import EncodedImages, Inputs, PixelArray
from service.inference.costly_images import CostlyImages
from service.inference.prediction import AbstainReason, Classification, RankedClass
from service.inference.predictor import Predictor
from service.inference.shadow import Shadows
from service.inference.traffic_split import Choice
from service.telemetry.metrics import Metrics
from service.telemetry.request_state import RequestState
from service.telemetry.stage_timer import Stage, Timeline, seconds_by_stage, server_timing

Response = TypeVar("Response")


class PredictionInstruments:
    """The metrics of one version of one model; each label is looked up once, for a look-up takes 3 µs."""

    def __init__(self, metrics: Metrics, predictor: Predictor) -> None:
        metadata = predictor.metadata
        labels = (metadata.name, str(metadata.version))
        self._tally = metrics.statistics.tally(metadata.name, metadata.version)
        self._batch_size = metrics.batch_size.labels(*labels)
        self._confidence = metrics.confidence.labels(*labels)
        # All reasons from 0 on; a model that never abstains has no such series.
        reasons = AbstainReason if predictor.abstains else ()
        self._abstained = {reason: metrics.abstained.labels(*labels, reason) for reason in reasons}
        self._label = cache(partial(metrics.predictions.labels, *labels))
        self._failure = cache(partial(metrics.prediction_failures.labels, *labels))
        self._stage = cache(partial(metrics.stage_seconds.labels, *labels))

    def observe(
        self, top1: Sequence[RankedClass], reasons: Sequence[AbstainReason | None], seconds: Mapping[Stage, float]
    ) -> None:
        """Count the images of a request by label, confidence and reason to abstain, and the seconds of each stage."""
        self._batch_size.observe(len(top1))
        for best in top1:
            self._confidence.observe(best.probability)
            self._label(best.label).inc()
        for reason in reasons:
            if reason is not None:
                self._abstained[reason].inc()
        for stage, value in seconds.items():
            self._stage(stage).observe(value)
        self._tally.succeed(len(top1), seconds)

    def fail(self, seconds: float, code: str) -> None:
        """Count a request that got an error, by its code, after `seconds`."""
        self._failure(code).inc()
        self._tally.fail(seconds)


class InferenceContext(NamedTuple):
    """One request to one version of a model: what it carries from the choice of the version to the response."""

    choice: Choice
    metadata: Metadata  # of the version that answers
    state: RequestState
    timeline: Timeline
    instruments: PredictionInstruments

    @property
    def image_numbers(self) -> int:
        """How many numbers the pixels of one image are, for the version that answers."""
        spec = self.metadata.input
        return spec.height * spec.width * spec.channels


@dataclass(frozen=True)
class DecodedRequest(Generic[Response]):
    """The images or pixels of a request, and how its protocol encodes what the model says of them."""

    inputs: Inputs
    encode_response: Callable[[Classification], Response]


class DataPlane:
    """Runs requests and reports each one to metrics, statistics, log and shadows."""

    def __init__(self, metrics: Metrics, shadows: Shadows, costly_images: CostlyImages) -> None:
        self._metrics = metrics
        self._shadows = shadows
        self._costly_images = costly_images
        self._instruments: WeakKeyDictionary[Predictor, PredictionInstruments] = WeakKeyDictionary()

    def begin(self, choice: Choice, state: RequestState) -> InferenceContext:
        """Start a request, before its body is read: from here on, a failure counts for the chosen version."""
        instruments = self._instruments_of(choice.predictor)
        state.on_failure = instruments.fail
        return InferenceContext(choice, choice.predictor.metadata, state, [(Stage.QUEUE, perf_counter())], instruments)

    def infer(self, context: InferenceContext, request: DecodedRequest[Response]) -> Response:
        """Classify the inputs and return the encoded response; raises a RequestError.

        Only a success is reported here: its times and classes to the metrics and the state of the request, a copy to
        the shadow of the choice, if there is one.
        """
        choice, state, timeline = context.choice, context.state, context.timeline
        inputs = request.inputs
        try:
            classification = choice.predictor.classify(inputs, timeline, only_cheap=True)
        except CostlyImage:
            classification, inputs = self._classify_costly(context, inputs)
        response = request.encode_response(classification)
        timeline.append((Stage.ENCODE, perf_counter()))
        seconds = seconds_by_stage(timeline, state.queue_seconds + state.job_seconds)
        state.server_timing = server_timing(seconds)
        top1 = classification.top1(context.metadata.labels)
        reasons = classification.reasons or ()
        state.log_fields = _log_fields(context.metadata, top1, reasons)
        context.instruments.observe(top1, reasons, seconds)
        if choice.shadow:
            self._shadows.offer(choice, inputs, top1)
        return response

    def _classify_costly(self, context: InferenceContext, inputs: Inputs) -> tuple[Classification, Inputs]:
        """The classification of images that another process prepares, and what the shadow is to classify."""
        (predictor, shadow), timeline = context.choice, context.timeline
        assert isinstance(inputs, EncodedImages)  # noqa: S101 - arrays are never costly
        batch = self._costly_images.prepare(predictor, inputs, context.state, timeline)
        classification = predictor.classify_prepared(batch, timeline)
        if shadow and shadow.prepares_like(predictor):
            return classification, PixelArray(batch.pixels, is_prepared=True)
        return classification, inputs

    def _instruments_of(self, predictor: Predictor) -> PredictionInstruments:
        instruments = self._instruments.get(predictor)
        if instruments is None:
            instruments = self._instruments[predictor] = PredictionInstruments(self._metrics, predictor)
        return instruments


def _log_fields(metadata: Metadata, top1: list[RankedClass], reasons: Sequence[AbstainReason | None]) -> dict[str, Any]:
    """Label and reason are those of the first image; `abstained` counts images, and is left out where it is 0."""
    fields = {"model": metadata.name, "version": metadata.version, "images": len(top1), "label": top1[0].label}
    abstained = sum(reason is not None for reason in reasons)
    return {**fields, "abstained": abstained, "reason": next(filter(None, reasons))} if abstained else fields
