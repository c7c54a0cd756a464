"""Before any route: requests that the server refuses, and the route's name for the record."""

from collections.abc import Container

from flask import Flask, request

from service.environ import ERROR, REQUEST_STATE
from service.errors import DeadlineExceeded, QueueFull


def admit_requests(app: Flask, request_timeout: float, always_answered: Container[str] = ()) -> None:
    """Raise the refusal that came with a request, or DeadlineExceeded after `request_timeout` seconds in the queue.

    `always_answered` are the rules for which the queue does not matter, neither its time nor its length: an
    orchestrator that took a busy service for a dead one would restart it, and all others after it.
    """

    @app.before_request
    def admit() -> None:
        state = request.environ[REQUEST_STATE]
        if request.url_rule:
            state.route = request.url_rule.rule
        refusal, watching = request.environ.get(ERROR), state.route in always_answered
        if refusal is not None and not (watching and isinstance(refusal, QueueFull)):
            raise refusal
        if state.queue_seconds > request_timeout and not watching:
            raise DeadlineExceeded(f"waited {state.queue_seconds:.1f} seconds in the queue: the server is overloaded")
