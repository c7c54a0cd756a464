"""Liveness and readiness, for orchestrators and load balancers."""

from typing import Any

from flask import Blueprint, Response

from service.inference.registry import ModelRegistry
from service.ipc.worker_warnings import WorkerWarnings
from service.lifecycle.readiness import Readiness
from service.web.responses import json_response

PATHS = ("/livez", "/readyz", "/healthz")


def health_routes(registry: ModelRegistry, readiness: Readiness, warnings: WorkerWarnings) -> Blueprint:
    """Liveness: the event loop runs. Readiness: every model has a verified version, and no shutdown has begun."""
    routes = Blueprint("health", __name__)

    @routes.get("/livez")
    def livez() -> Response:
        return json_response({"live": True})

    @routes.get("/readyz")
    @routes.get("/healthz")
    def readyz() -> Response:
        problems = readiness.problems()
        document: dict[str, Any] = {"ready": not problems, "problems": problems, "refused": registry.load_failures()}
        if loading := readiness.loading():
            document["loading"] = loading
        if warnings.sentences:
            document["warnings"] = warnings.sentences
        return json_response(document, 503 if problems else 200)

    return routes
