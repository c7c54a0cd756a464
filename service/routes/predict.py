"""POST /predict and its forms for a named model and version."""

from typing import Any

import orjson
from flask import Blueprint, Response, request

from service.errors import InvalidRequest
from service.meters import PredictionMeter, create_meter
from service.metrics import Metrics
from service.prediction import Prediction
from service.predictor import Predictor
from service.registry import ModelRegistry
from service.routes.bodies import read_inputs
from service.routes.record import RequestRecord, current_record
from service.routes.versions import parse_version
from service.stages import Stages

DEFAULT_TOP_K = 5


def predict_routes(registry: ModelRegistry, metrics: Metrics) -> Blueprint:
    """The native prediction routes over what is loaded."""
    routes = Blueprint("predict", __name__)
    meters: dict[Predictor, PredictionMeter] = {}

    def predict(name: str | None, version: str | None) -> Response:
        record = current_record()
        predictor = registry.get(name, parse_version(version))
        top_k = _parse_top_k(request.args.get("top_k"), predictor)
        stages = Stages(record.queue_seconds)
        predictions = predictor.predict(read_inputs(request), top_k, stages)
        response = _answer(predictor, predictions, stages)
        if predictor not in meters:
            meters[predictor] = create_meter(metrics, predictor.metadata.name, predictor.metadata.version)
        meters[predictor].observe(predictions, stages)
        _note(record, predictor, predictions)
        return response

    @routes.post("/predict")
    def predict_default() -> Response:
        return predict(request.args.get("model"), request.args.get("version"))

    @routes.post("/models/<name>/predict")
    def predict_model(name: str) -> Response:
        return predict(name, request.args.get("version"))

    @routes.post("/models/<name>/versions/<version>/predict")
    def predict_version(name: str, version: str) -> Response:
        return predict(name, version)

    return routes


def _parse_top_k(text: str | None, predictor: Predictor) -> int:
    classes = predictor.metadata.output.classes
    if text is None:
        return min(DEFAULT_TOP_K, classes)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= classes):
        name = predictor.metadata.name
        raise InvalidRequest(f"top_k must be a whole number from 1 to {classes}, the classes of {name}, not {text!r}")
    return int(text)


def _answer(predictor: Predictor, predictions: list[Prediction], stages: Stages) -> Response:
    document = {
        "model_name": predictor.metadata.name,
        "model_version": predictor.metadata.version,
        "predictions": [_entry(prediction) for prediction in predictions],
    }
    body = orjson.dumps(document)
    stages.lap("encode")
    return Response(body, headers={"Server-Timing": stages.server_timing()}, content_type="application/json")


def _entry(prediction: Prediction) -> dict[str, Any]:
    """One image's entry; orjson writes the ranked classes, which are dataclasses, as objects."""
    best = prediction.best
    entry: dict[str, Any] = {"label": best.label, "index": best.index, "probability": best.probability}
    if prediction.preprocessing:
        entry["preprocessing"] = prediction.preprocessing
    return {**entry, "top_k": prediction.top_k}


def _note(record: RequestRecord, predictor: Predictor, predictions: list[Prediction]) -> None:
    record.facts = {
        "model": predictor.metadata.name,
        "version": predictor.metadata.version,
        "images": len(predictions),
        "label": predictions[0].best.label,
    }
