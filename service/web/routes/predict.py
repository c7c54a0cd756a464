"""POST /predict and its forms for a named model and version."""

from flask import Blueprint, Response, request

from service.codecs.limits import Limits
from service.environ import REQUEST_STATE
from service.protocols.native import NativeProtocol
from service.web.fast_path import PREDICT_RULES
from service.web.request_body import read_inputs
from service.web.responses import raw_json_response


def predict_routes(native: NativeProtocol, limits: Limits) -> Blueprint:
    """The native prediction routes, for every form of body."""
    routes = Blueprint("predict", __name__)
    of_default, of_model, of_version = map(routes.post, PREDICT_RULES)

    def predict(name: str | None, version: str | None) -> Response:
        context = native.select(name, version, request.environ[REQUEST_STATE])
        spec = context.metadata.input
        inputs = read_inputs(request, limits, spec.height * spec.width * spec.channels)
        return raw_json_response(native.predict(context, inputs, request.args.get("top_k")))

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
