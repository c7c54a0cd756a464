"""GET /metrics, which is also where TensorFlow Serving has it."""

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from service.telemetry.metrics import Metrics

PATHS = ("/metrics", "/monitoring/prometheus/metrics")


def metrics_routes(metrics: Metrics) -> Blueprint:
    """The Prometheus text format, summed over the workers when it is scraped."""
    routes = Blueprint("metrics", __name__)

    @routes.get(PATHS[0])
    @routes.get(PATHS[1])
    def scrape() -> Response:
        return Response(generate_latest(metrics.scrape), content_type=CONTENT_TYPE_LATEST)

    return routes
