"""POST /predict and its forms for a named model and version."""

from flask import Blueprint, Response, request

from service.codecs.limits import MAX_JSON_NUMBERS, Limits
from service.codecs.parameters import Parameters, read_url_parameters
from service.environ import REQUEST_STATE
from service.errors import RequestError
from service.inference.data_plane import InferenceContext
from service.protocols.native import NativeProtocol
from service.web.fast_path import PREDICT_RULES
from service.web.request_body import read_inputs
from service.web.responses import raw_json_response


def predict_routes(native: NativeProtocol, limits: Limits) -> Blueprint:
    """The native prediction routes, for every form of body."""
    routes = Blueprint("predict", __name__)

    def select(parameters: Parameters) -> InferenceContext:
        return native.select(*parameters.wanted, request.environ[REQUEST_STATE])

    def predict(name: str | None = None, version: str | None = None) -> Response:
        parameters = read_url_parameters(name, version, request.args.items(multi=True))
        wanted = parameters.wanted
        try:
            context = select(parameters)
        except RequestError:
            if parameters.get("model"):
                raise
            context = None  # there is no such version of the default model; the body may name another model
        numbers = MAX_JSON_NUMBERS if context is None else context.image_numbers
        inputs = read_inputs(request, limits, numbers, parameters)
        if context is None or parameters.wanted != wanted:
            context = select(parameters)
        return raw_json_response(native.predict(context, inputs, parameters.get("top_k")))

    for rule in PREDICT_RULES:
        routes.post(rule)(predict)
    return routes
