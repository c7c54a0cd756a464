"""Around every request, whether the fast path or Flask responds: its id, the HTTP metrics and the access log."""

import re
import secrets
import time
from collections.abc import Iterable
from functools import cache, partial
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from service.environ import DEFERRED, ERROR, QUEUE_SECONDS, REQUEST_STATE, RESUMED, Deferred, Headers, Suspended
from service.ipc.current_requests import Note
from service.telemetry.access_log import AccessLog
from service.telemetry.metrics import Metrics
from service.telemetry.request_state import RequestState

REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
MAX_PATH = 64  # characters of the path of a request that is named while it runs
METHODS = {"GET", "HEAD", "POST", "PUT", "OPTIONS"}


class RequestMiddleware:
    """A WSGI application around another one (PEP 3333); puts a RequestState into the environment."""

    def __init__(
        self, application: WSGIApplication, metrics: Metrics, log: AccessLog, note: Note = lambda _began, _words: None
    ) -> None:
        """`note` is told of each request that begins, and with 0 and no words when it is done."""
        self._application = application
        self._in_progress = metrics.requests_in_progress
        self._counter = cache(metrics.requests.labels)
        self._histogram = cache(metrics.request_seconds.labels)
        self._log = log
        self._note = note

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Let the application respond, then count and log the request."""
        state = _resumed_state(environ)
        if state is None:
            state = RequestState(_request_id(environ), environ.get(QUEUE_SECONDS, 0.0), can_suspend=RESUMED in environ)
        elif state.job_error is not None:
            environ[ERROR] = state.job_error()  # so that its body is not read again
        environ[REQUEST_STATE] = state
        words = f"{state.request_id} {environ['REQUEST_METHOD']} {environ['PATH_INFO'][:MAX_PATH]!r}"
        self._note(time.perf_counter(), words.encode())  # not that of a suspended request, which did not run
        self._in_progress.inc()
        try:
            return self._application(environ, partial(_start, state, start_response))
        except Suspended as suspended:
            suspended.__traceback__ = suspended.__context__ = None  # a frame of Flask's holds it: a cycle with the body
            waiting = suspended.deferred
            environ[DEFERRED] = Deferred(state, waiting.is_over, waiting.is_announced)
            start_response("503 Service Unavailable", [])  # which is dropped
            return []
        finally:
            self._note(0.0, b"")
            self._report(environ, state)

    def _report(self, environ: WSGIEnvironment, state: RequestState) -> None:
        self._in_progress.dec()
        if DEFERRED in environ:  # this response is dropped
            return
        seconds = state.queue_seconds + time.perf_counter() - state.started
        method = environ["REQUEST_METHOD"]
        label = method if method in METHODS else "other"
        self._counter(label, state.route, str(state.status)).inc()
        self._histogram(label, state.route).observe(seconds)
        if state.on_failure and state.error_code:
            state.on_failure(seconds, state.error_code)
        self._log.write(
            {
                "method": method,
                "path": environ["PATH_INFO"].encode("latin-1").decode(errors="replace"),
                "status": state.status,
                "duration_ms": round(seconds * 1000, 3),
                "bytes_in": int(environ.get("CONTENT_LENGTH") or 0),
                "bytes_out": state.bytes_out,
                "client": environ.get("REMOTE_ADDR"),
                "request_id": state.request_id,
                **state.log_fields,
            }
        )


def _resumed_state(environ: WSGIEnvironment) -> RequestState | None:
    """The state of a request that was suspended here, where this is the call for which it is over."""
    deferred: Deferred | None = environ.get(RESUMED)
    return deferred.subject if deferred and isinstance(deferred.subject, RequestState) else None


def _request_id(environ: WSGIEnvironment) -> str:
    own = environ.get("HTTP_X_REQUEST_ID", "")  # the client's
    return own if REQUEST_ID.fullmatch(own) else secrets.token_hex(16)


def _start(
    state: RequestState, start_response: StartResponse, status: str, headers: Headers, exc_info: Any = None
) -> Any:
    """`start_response` as the application sees it: notes the status and adds the request's id and times."""
    state.status = int(status[:3])
    state.bytes_out = next((int(value) for name, value in headers if name == "Content-Length"), 0)
    added = [("X-Request-ID", state.request_id)]
    if state.server_timing:
        added.append(("Server-Timing", state.server_timing))
    return start_response(status, [*headers, *added], exc_info)
