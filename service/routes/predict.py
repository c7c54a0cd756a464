"""POST /predict and its forms for a named model and version."""

from functools import partial

from flask import Blueprint, Response, request

from service.dialects.native import NativeDialect
from service.limits import Limits
from service.record import RECORD
from service.routes.answers import json_text
from service.routes.bodies import read_inputs
from service.shortcut import PREDICT_RULES


def predict_routes(native: NativeDialect, limits: Limits) -> Blueprint:
    """The native prediction routes, for every form of body."""
    routes = Blueprint("predict", __name__)
    of_default, of_model, of_version = map(routes.post, PREDICT_RULES)

    def predict(name: str | None, version: str | None) -> Response:
        top_k, record = request.args.get("top_k"), request.environ[RECORD]
        answer = native.predict(name, version, top_k, partial(read_inputs, request, limits), record)
        return json_text(answer)

    @of_default
    def predict_default() -> Response:
        return predict(request.args.get("model"), request.args.get("version"))

    @of_model
    def predict_model(name: str) -> Response:
        return predict(name, request.args.get("version"))

    @of_version
    def predict_version(name: str, version: str) -> Response:
        return predict(name, version)

    return routes
