"""One form for every error, and one handler that writes it."""

import logging
from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, NotFound

from service.environ import REQUEST_STATE
from service.errors import ModelUnavailable, RepositoryUnreadable, RequestError
from service.telemetry.metrics import Metrics
from service.web.responses import json_response

logger = logging.getLogger("convserve")


def handle_failures(app: Flask, metrics: Metrics) -> None:
    """Answer every exception as `{"error", "code", "request_id"}` and what it has beside; count it by its code."""

    @app.errorhandler(Exception)
    def answer(error: Exception) -> Response:
        status, code, sentence, headers = _describe(error)
        metrics.rejected.labels(code).inc()
        state = request.environ[REQUEST_STATE]
        if state.on_failure:
            state.on_failure(state.seconds(), code)
        members = error.members if isinstance(error, RequestError) else {}
        document = {**members, "error": sentence, "code": code, "request_id": state.request_id}
        return json_response(document, status, headers)


def _describe(error: Exception) -> tuple[int, str, str, dict[str, str]]:
    """Status, code word, sentence and headers of an answer."""
    if isinstance(error, RequestError):
        headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        return error.status, error.code, f"{error}{_advice(error)}", {**headers, **error.headers}
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return error.code, "method_not_allowed", f"{request.path} takes {allowed}", {"Allow": allowed}
    if isinstance(error, HTTPException):
        return error.code or 500, *_word(error), {}
    logger.error("unexpected error in request %s", request.environ[REQUEST_STATE].request_id, exc_info=error)
    sentence = "an unexpected error, which is now in the server's log with this request_id"
    return HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", sentence, {}


def _advice(error: RequestError) -> str:
    """The route that says more, for errors of the model registry, which knows no routes."""
    if isinstance(error, ModelUnavailable):
        return f": GET /models/{error.model} lists them; put a good one there, or try again"
    return ": GET /readyz says what is wrong" if isinstance(error, RepositoryUnreadable) else ""


def _word(error: HTTPException) -> tuple[str, str]:
    """Code word and sentence of what the framework raises."""
    if isinstance(error, NotFound):
        return "route_not_found", f"there is no {request.path}: POST images to /predict; /docs lists all routes"
    if error.description == BadRequest.description:
        return "bad_request", "the Host or Upgrade header is none that a plain HTTP service can follow"
    return "bad_request", str(error.description)
