"""One handler for every exception, and one form for every error: `{"error", "code", "request_id"}`."""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, NotFound

from service.environ import REQUEST_STATE
from service.errors import ModelUnavailable, OutOfMemory, RepositoryUnreadable, RequestError
from service.telemetry.metrics import Metrics
from service.web.responses import json_response

logger = logging.getLogger("convserve")

NoRoute = Callable[[], RequestError]  # what a protocol responds where no route takes the request at hand


def handle_errors(app: Flask, metrics: Metrics, no_route: Mapping[str, NoRoute] = MappingProxyType({})) -> None:
    """Respond to every exception in the one form, with the members and headers of its own; count it by its code.

    `no_route` is by the first part of the path, such as "v1", for protocols that respond in their own way to a path
    or method that no route takes.
    """

    @app.errorhandler(Exception)
    def respond(error: Exception) -> Response:
        if error is request.routing_exception:
            own = no_route.get(request.path.split("/")[1])
            error = own() if own else error
        if isinstance(error, MemoryError):
            logger.warning("not enough memory for request %s", request.environ[REQUEST_STATE].request_id)
            error = OutOfMemory("there is not enough memory for this request now: try again, or send less at a time")
        status, code, sentence, headers = _describe(error)
        metrics.rejected.labels(code).inc()
        state = request.environ[REQUEST_STATE]
        state.error_code = code
        members = error.members if isinstance(error, RequestError) else {}
        document = {**members, "error": sentence, "code": code, "request_id": state.request_id}
        return json_response(document, status, headers)


def _describe(error: Exception) -> tuple[int, str, str, dict[str, str]]:
    """Status, code word, sentence and headers of a response."""
    if isinstance(error, RequestError):
        headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        return error.status, error.code, f"{error}{_advice(error)}", {**headers, **error.headers}
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return error.code, "method_not_allowed", f"{request.path} takes {allowed}", {"Allow": allowed}
    if isinstance(error, NotFound):
        sentence = f"there is no {request.path}: POST images to /predict; /docs lists all routes"
        return error.code, "route_not_found", sentence, {}
    if isinstance(error, HTTPException):
        return error.code or HTTPStatus.INTERNAL_SERVER_ERROR, "bad_request", _sentence(error), {}
    logger.error("unexpected error in request %s", request.environ[REQUEST_STATE].request_id, exc_info=error)
    sentence = "an unexpected error, which is now in the server's log with this request_id"
    return HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", sentence, {}


def _advice(error: RequestError) -> str:
    """The route that says more, for errors of the model registry, which knows no routes."""
    if isinstance(error, ModelUnavailable):
        return f": GET /models/{error.model} lists them; put a good one there, or try again"
    return ": GET /readyz says what is wrong" if isinstance(error, RepositoryUnreadable) else ""


def _sentence(error: HTTPException) -> str:
    """What to do about an error that Werkzeug raises; without a description of its own, it is about these headers."""
    if error.description == BadRequest.description:
        return "the Host or Upgrade header is none that a plain HTTP service can follow"
    return str(error.description)
