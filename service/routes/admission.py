"""Before any route: requests that the server refuses, and the route's name for the record."""

from collections.abc import Container

from flask import Flask, request

from service.errors import DeadlineExceeded
from service.record import RECORD, REFUSAL


def admit_requests(app: Flask, request_timeout: float, always_answered: Container[str] = ()) -> None:
    """Raise the refusal that came with a request, or DeadlineExceeded after `request_timeout` seconds in the queue.

    `always_answered` are the rules for which the queue does not matter.
    """

    @app.before_request
    def admit() -> None:
        record = request.environ[RECORD]
        if request.url_rule:
            record.route = request.url_rule.rule
        refusal = request.environ.get(REFUSAL)
        if refusal is not None:
            raise refusal
        if record.queue_seconds > request_timeout and record.route not in always_answered:
            raise DeadlineExceeded(f"waited {record.queue_seconds:.1f} seconds in the queue: the server is overloaded")
