"""Is the process alive, is it ready: what orchestrators and load balancers ask."""

from flask import Blueprint, Response, request

from service.record import DRAINING
from service.registry import ModelRegistry
from service.routes.answers import json_answer

PATHS = ("/livez", "/readyz", "/healthz")


def health_routes(registry: ModelRegistry) -> Blueprint:
    """Liveness says that the loop turns; readiness that every model has a verified version and no shutdown began."""
    routes = Blueprint("health", __name__)

    @routes.get("/livez")
    def livez() -> Response:
        return json_answer({"live": True})

    @routes.get("/readyz")
    @routes.get("/healthz")
    def readyz() -> Response:
        problems = _problems(registry, draining=bool(request.environ.get(DRAINING)))
        refused = {f"{each.name}/{each.version}": each.reason for each in registry if not each.predictor}
        document = {"ready": not problems, "problems": problems, "refused": refused}
        return json_answer(document, 503 if problems else 200)

    return routes


def _problems(registry: ModelRegistry, draining: bool) -> list[str]:
    problems = [f"no version of {name} could be loaded" for name in registry.unready_models()]
    if not registry.names():
        problems.append("the model repository is empty")
    if draining:
        problems.append("shutting down")
    return problems
