"""/v1: TensorFlow Serving's REST API (its g3doc/api_rest.md), and KServe v1, which is part of it with members added."""

from typing import NoReturn

from flask import Blueprint, Response, request

from service.environ import REQUEST_STATE
from service.errors import InvalidRequest
from service.protocols.tfserving.cloud_events import EventForm, Reply, event_form
from service.protocols.tfserving.operations import TensorFlowServing
from service.web.request_body import read_content
from service.web.responses import json_response, raw_json_response

SERVABLES = ("/models/<name>", "/models/<name>/versions/<version>", "/models/<name>/labels/<label>")
HELP = (
    "send POST to /v1/models/<name>:predict or :classify, or GET to /v1/models, /v1/models/<name>"
    " or /v1/models/<name>/metadata; after the name there may be /versions/<version>"
)


def v1_routes(protocol: TensorFlowServing) -> Blueprint:
    """All routes of the protocol. The Content-Type of a request is ignored, but for those of CloudEvents."""
    routes = Blueprint("v1", __name__, url_prefix="/v1")
    _add_inference(routes, protocol)
    _add_models(routes, protocol)
    return routes


def malformed_request() -> InvalidRequest:
    """The error for unknown paths, wrong methods and doubled slashes: to this protocol they are all malformed."""
    return InvalidRequest(f"Malformed request: {request.method} {request.path}: {HELP}")


def _add_inference(routes: Blueprint, protocol: TensorFlowServing) -> None:
    def predict(name: str, version: str | None = None, label: str | None = None) -> Response:
        context = protocol.select(name, version, label, request.environ[REQUEST_STATE])
        return _send(protocol.predict(context, read_content(request), _event_form()))

    def classify(name: str, version: str | None = None, label: str | None = None) -> Response:
        context = protocol.select(name, version, label, request.environ[REQUEST_STATE])
        return _send(protocol.classify(context, read_content(request), _event_form()))

    def regress(name: str, version: str | None = None, label: str | None = None) -> NoReturn:
        protocol.regress(name, version, label)

    for servable in SERVABLES:
        routes.post(f"{servable}:predict")(predict)
        routes.post(f"{servable}:classify")(classify)
        routes.post(f"{servable}:regress")(regress)


def _event_form() -> EventForm | None:
    attributes = {name[3:].lower(): value for name, value in request.headers if name[:3].lower() == "ce-"}
    return event_form(request.mimetype, attributes)


def _send(reply: Reply) -> Response:
    response = raw_json_response(reply.content)
    response.headers.update(reply.headers)
    return response


def _add_models(routes: Blueprint, protocol: TensorFlowServing) -> None:
    @routes.get("/models")
    def models() -> Response:
        return json_response(protocol.names())

    def status(name: str, version: str | None = None, label: str | None = None) -> Response:
        return json_response(protocol.status(name, version, label))

    def metadata(name: str, version: str | None = None, label: str | None = None) -> Response:
        return json_response(protocol.metadata(name, version, label))

    for servable in SERVABLES:
        routes.get(servable)(status)
        routes.get(f"{servable}/metadata")(metadata)
