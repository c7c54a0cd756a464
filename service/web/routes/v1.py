"""/v1: TensorFlow Serving's REST API (its g3doc/api_rest.md), and KServe v1, which is part of it with members added."""

from typing import NoReturn

from flask import Blueprint, Response, request

from service.environ import REQUEST_STATE
from service.errors import InvalidRequest
from service.protocols.tfserving.operations import TensorFlowServing
from service.web.request_body import read_content
from service.web.responses import json_response, raw_json_response

SERVABLES = ("/models/<name>", "/models/<name>/versions/<version>", "/models/<name>/labels/<label>")
HELP = (
    "send POST to /v1/models/<name>:predict or :classify, or GET to /v1/models, /v1/models/<name>"
    " or /v1/models/<name>/metadata; after the name there may be /versions/<version>"
)


def v1_routes(dialect: TensorFlowServing) -> Blueprint:
    """All routes of the protocol, and its answer to what is none of them. The Content-Type of a request is ignored."""
    routes = Blueprint("v1", __name__, url_prefix="/v1")
    _refuse_the_rest(routes)
    _add_inference(routes, dialect)
    _add_models(routes, dialect)
    return routes


def _refuse_the_rest(routes: Blueprint) -> None:
    """Unknown paths, wrong methods and doubled slashes are one thing to this protocol: malformed, status 400."""

    @routes.before_app_request
    def refuse() -> None:
        if request.path != "/v1" and not request.path.startswith("/v1/"):
            return
        if request.routing_exception or _has_verb_in_a_name():
            raise InvalidRequest(f"Malformed request: {request.method} {request.path}: {HELP}")


def _has_verb_in_a_name() -> bool:
    """Whether a path ends in a verb that is none, or GET was sent to one: names have no colon."""
    return any(":" in value for value in (request.view_args or {}).values())


def _add_inference(routes: Blueprint, dialect: TensorFlowServing) -> None:
    def predict(name: str, version: str | None = None, label: str | None = None) -> Response:
        context = dialect.select(name, version, label, request.environ[REQUEST_STATE])
        return raw_json_response(dialect.predict(context, read_content(request)))

    def classify(name: str, version: str | None = None, label: str | None = None) -> Response:
        context = dialect.select(name, version, label, request.environ[REQUEST_STATE])
        return raw_json_response(dialect.classify(context, read_content(request)))

    def regress(name: str, version: str | None = None, label: str | None = None) -> NoReturn:
        dialect.regress(name, version, label)

    for servable in SERVABLES:
        routes.post(f"{servable}:predict")(predict)
        routes.post(f"{servable}:classify")(classify)
        routes.post(f"{servable}:regress")(regress)


def _add_models(routes: Blueprint, dialect: TensorFlowServing) -> None:
    @routes.get("/models")
    def models() -> Response:
        return json_response(dialect.names())

    def status(name: str, version: str | None = None, label: str | None = None) -> Response:
        return json_response(dialect.status(name, version, label))

    def metadata(name: str, version: str | None = None, label: str | None = None) -> Response:
        return json_response(dialect.metadata(name, version, label))

    for servable in SERVABLES:
        routes.get(servable)(status)
        routes.get(f"{servable}/metadata")(metadata)
