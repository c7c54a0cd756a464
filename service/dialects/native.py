"""The native dialect without HTTP: a model's name and a way to get at the inputs in, a JSON document out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from service.errors import InvalidRequest
from service.inputs import Inputs
from service.meters import PredictionMeter
from service.metrics import Metrics
from service.prediction import Prediction
from service.predictor import Predictor
from service.record import RequestRecord
from service.registry import ModelRegistry
from service.stages import Stages
from service.versions import parse_version

DEFAULT_TOP_K = 5


@dataclass(frozen=True)
class NativeAnswer:
    """The JSON document, and the value of the Server-Timing header beside it."""

    body: bytes
    server_timing: str


class NativeDialect:
    """Answers prediction requests over what is loaded."""

    def __init__(self, registry: ModelRegistry, metrics: Metrics) -> None:
        self._registry = registry
        self._metrics = metrics
        self._meters: dict[Predictor, PredictionMeter] = {}

    def predict(
        self,
        name: str | None,
        version: str | None,
        top_k: str | None,
        read: Callable[[], Inputs],
        record: RequestRecord,
    ) -> NativeAnswer:
        """Find the model, read the inputs, classify, and note in the record what the log shall say.

        `version` and `top_k` are as the client wrote them, None where it did not. Raises a RequestError.
        """
        predictor = self._registry.get(name, parse_version(version))
        ranks = _parse_top_k(top_k, predictor)
        stages = Stages(record.queue_seconds)
        predictions = predictor.predict(read(), ranks, stages)
        body = orjson.dumps(_document(predictor, predictions))
        stages.lap("encode")
        self._meter(predictor).observe(predictions, stages)
        record.facts = _facts(predictor, predictions)
        return NativeAnswer(body, stages.server_timing())

    def _meter(self, predictor: Predictor) -> PredictionMeter:
        if predictor not in self._meters:
            metadata = predictor.metadata
            self._meters[predictor] = PredictionMeter(self._metrics, metadata.name, metadata.version)
        return self._meters[predictor]


def _parse_top_k(text: str | None, predictor: Predictor) -> int:
    classes = predictor.metadata.output.classes
    if text is None:
        return min(DEFAULT_TOP_K, classes)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= classes):
        name = predictor.metadata.name
        raise InvalidRequest(f"top_k must be a whole number from 1 to {classes}, the classes of {name}, not {text!r}")
    return int(text)


def _document(predictor: Predictor, predictions: list[Prediction]) -> dict[str, Any]:
    return {
        "model_name": predictor.metadata.name,
        "model_version": predictor.metadata.version,
        "predictions": [_entry(prediction) for prediction in predictions],
    }


def _entry(prediction: Prediction) -> dict[str, Any]:
    """One image's entry; orjson writes the ranked classes, which are dataclasses, as objects."""
    best = prediction.best
    entry: dict[str, Any] = {"label": best.label, "index": best.index, "probability": best.probability}
    if prediction.preprocessing:
        entry["preprocessing"] = prediction.preprocessing
    return {**entry, "top_k": prediction.top_k}


def _facts(predictor: Predictor, predictions: list[Prediction]) -> dict[str, Any]:
    return {
        "model": predictor.metadata.name,
        "version": predictor.metadata.version,
        "images": len(predictions),
        "label": predictions[0].best.label,
    }
