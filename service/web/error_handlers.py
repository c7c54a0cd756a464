"""One handler for every exception, which responds in the form that the clients of the path's protocol know.

The native form is `{"error", "code", "request_id"}`. In every form, code and request id are headers, too.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, NotFound

from service.environ import REQUEST_STATE
from service.errors import ModelUnavailable, OutOfMemory, RepositoryUnreadable, RequestError
from service.telemetry.metrics import Metrics
from service.web.responses import json_response

logger = logging.getLogger("convserve")

ERROR_CODE = "X-Error-Code"


@dataclass(frozen=True)
class ErrorForm:
    """How a protocol responds to errors.

    `document` makes the body of a status, a code and a sentence. `no_route` is the protocol's own error for a path or
    method that no route takes, if it has one.
    """

    document: Callable[[int, str, str], Mapping[str, Any]]
    no_route: Callable[[], RequestError] | None = None


def handle_errors(app: Flask, metrics: Metrics, forms: Mapping[str, ErrorForm] = MappingProxyType({})) -> None:
    """Respond to every exception with the headers of its own, and count it by its code.

    `forms` are by the first part of the path, such as "v1", for protocols whose errors do not have the native form.
    """

    @app.errorhandler(Exception)
    def respond(error: Exception) -> Response:
        form = forms.get(request.path.split("/")[1])
        if form and form.no_route and error is request.routing_exception:
            error = form.no_route()
        if isinstance(error, MemoryError):
            logger.warning("not enough memory for request %s", request.environ[REQUEST_STATE].request_id)
            error = OutOfMemory("there is not enough memory for this request now: try again, or send less at a time")
        status, code, sentence, headers = _describe(error)
        metrics.rejected.labels(code).inc()
        state = request.environ[REQUEST_STATE]
        state.error_code = code
        native = {"error": sentence, "code": code, "request_id": state.request_id}
        document = form.document(status, code, sentence) if form else native
        return json_response(document, status, {**headers, ERROR_CODE: code})


def error_alone(_status: int, _code: str, sentence: str) -> dict[str, str]:
    """The error of /v1 and /v2, whose strict clients, such as Triton's for Java, refuse any other member."""
    return {"error": sentence}


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
    sentence = "an unexpected error, which is now in the server's log under the id in the header X-Request-ID"
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
