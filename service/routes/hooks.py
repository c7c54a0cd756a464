"""What happens around every request: admission, its id, the HTTP metrics and the access log."""

import re
import uuid

from flask import Flask, Response, g, request

from service.access_log import AccessLog
from service.errors import DeadlineExceeded
from service.metrics import Metrics
from service.routes.record import RequestRecord, current_record

SANE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
ALWAYS_ANSWERED = {"/livez", "/readyz", "/healthz", "/metrics"}  # however long the queue


def install_hooks(app: Flask, metrics: Metrics, log: AccessLog, request_timeout: float) -> None:
    """Wrap the application's requests; `request_timeout` is in seconds."""

    @app.before_request
    def admit() -> None:
        environ = request.environ
        g.record = RequestRecord(_request_id(), environ.get("convserve.queue_seconds", 0.0))
        metrics.requests_in_progress.inc()
        refusal = environ.get("convserve.refusal")
        if refusal is not None:
            raise refusal
        if g.record.queue_seconds > request_timeout and request.path not in ALWAYS_ANSWERED:
            raise DeadlineExceeded(
                f"waited {g.record.queue_seconds:.1f} seconds in the queue: the server is overloaded"
            )

    @app.after_request
    def account(response: Response) -> Response:
        record = current_record()
        response.headers["X-Request-ID"] = record.request_id
        seconds = record.seconds()
        method = request.method if request.method in METHODS else "other"
        route = str(request.url_rule) if request.url_rule else "unmatched"
        metrics.requests.labels(method, route, str(response.status_code)).inc()
        metrics.request_seconds.labels(method, route).observe(seconds)
        metrics.requests_in_progress.dec()
        log.write(_log_line(record, response, seconds))
        return response


def _request_id() -> str:
    given = request.headers.get("X-Request-ID", "")
    return given if SANE_ID.fullmatch(given) else uuid.uuid4().hex


def _log_line(record: RequestRecord, response: Response, seconds: float) -> dict[str, object]:
    return {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "duration_ms": round(seconds * 1000, 3),
        "bytes_in": request.content_length or 0,
        "bytes_out": response.content_length or 0,
        "client": request.remote_addr,
        "request_id": record.request_id,
        **record.facts,
    }
