"""Before any route: the route's name for the metrics, and the errors that were there before Flask."""

from collections.abc import Container

from flask import Flask, request

from service.environ import ERROR, REQUEST_STATE
from service.errors import DeadlineExceeded, QueueFull


def admit_requests(app: Flask, request_timeout: float, probes: Container[str] = ()) -> None:
    """Raise the error that came with a request, or DeadlineExceeded after `request_timeout` seconds in the queue.

    `probes` are the rules for which neither the queue's time nor its length matters: an orchestrator would restart a
    busy service if its probes failed, and then all others.
    """

    @app.before_request
    def admit() -> None:
        state = request.environ[REQUEST_STATE]
        if request.url_rule:
            state.route = request.url_rule.rule
        is_probe = state.route in probes
        error = request.environ.pop(ERROR, None)
        if error is not None and not (is_probe and isinstance(error, QueueFull)):
            try:
                raise error
            finally:
                del error  # its traceback would hold itself and the body, until the next full garbage collection
        if state.queue_seconds > request_timeout and not is_probe:
            raise DeadlineExceeded(f"waited {state.queue_seconds:.1f} seconds in the queue: the server is overloaded")
