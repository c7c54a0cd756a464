"""Is the process alive, is it ready: what orchestrators and load balancers ask."""

from flask import Blueprint, Response

from service.inference.registry import ModelRegistry
from service.lifecycle.readiness import Readiness
from service.web.responses import json_response

PATHS = ("/livez", "/readyz", "/healthz")


def health_routes(registry: ModelRegistry, readiness: Readiness) -> Blueprint:
    """Liveness says that the loop turns; readiness that every model has a verified version and no shutdown began."""
    routes = Blueprint("health", __name__)

    @routes.get("/livez")
    def livez() -> Response:
        return json_response({"live": True})

    @routes.get("/readyz")
    @routes.get("/healthz")
    def readyz() -> Response:
        problems = readiness.problems()
        document = {"ready": not problems, "problems": problems, "refused": registry.load_failures()}
        return json_response(document, 503 if problems else 200)

    return routes
