"""/predictions and /ping: TorchServe's inference API (its docs/inference_api.md)."""

from flask import Blueprint, Response, request

from service.codecs.limits import Limits
from service.codecs.parameters import Parameters
from service.environ import REQUEST_STATE
from service.errors import InvalidRequest
from service.protocols.torchserve import TorchServe, describe_health
from service.web.request_body import read_inputs
from service.web.responses import json_response, raw_json_response

PING = "/ping"
METHODS = ["POST", "PUT"]  # curl -T sends the latter


def torchserve_routes(protocol: TorchServe, limits: Limits) -> Blueprint:
    """Prediction, for every form of body that the native protocol takes, and health."""
    routes = Blueprint("torchserve", __name__)

    @routes.route("/predictions/<name>", methods=METHODS)
    @routes.route("/predictions/<name>/<version>", methods=METHODS)
    def predict(name: str, version: str | None = None) -> Response:
        context = protocol.select(name, version, request.environ[REQUEST_STATE])
        body = Parameters()
        inputs = read_inputs(request, limits, context.image_numbers, body)
        if body.is_set:
            raise InvalidRequest(
                "model and version are in the path here, and the best five labels are listed: use /predict"
            )
        return raw_json_response(protocol.predict(context, inputs))

    @routes.route(PING, methods=["GET", "OPTIONS"])
    def ping() -> Response:
        is_healthy = protocol.is_healthy()
        return json_response(describe_health(is_healthy), 200 if is_healthy else 503)

    return routes
