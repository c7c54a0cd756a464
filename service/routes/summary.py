"""GET /summary: the layer table, as JSON or as the text that Keras prints."""

from dataclasses import asdict

from flask import Blueprint, Request, Response, request

from modelrepo.metadata import Metadata
from modelrepo.table import layer_table
from service.errors import InvalidRequest
from service.registry import ModelRegistry
from service.routes.answers import json_answer
from service.versions import parse_version


def summary_routes(registry: ModelRegistry) -> Blueprint:
    """The summaries of the default model and of a named one."""
    routes = Blueprint("summary", __name__)

    @routes.get("/summary")
    def summary_default() -> Response:
        return _summary(registry, request.args.get("model"))

    @routes.get("/models/<name>/summary")
    def summary_model(name: str) -> Response:
        return _summary(registry, name)

    return routes


def _summary(registry: ModelRegistry, name: str | None) -> Response:
    metadata = registry.get(name, parse_version(request.args.get("version"))).metadata
    if _wants_text(request):
        return Response(layer_table(metadata), content_type="text/plain; charset=utf-8")
    return json_answer(_document(metadata))


def _wants_text(request: Request) -> bool:
    wanted = request.args.get("format")
    if wanted not in (None, "text", "json"):
        raise InvalidRequest(f"format must be json or text, not {wanted!r}")
    if wanted is not None:
        return wanted == "text"
    return request.accept_mimetypes.best_match(["application/json", "text/plain"]) == "text/plain"


def _document(metadata: Metadata) -> dict[str, object]:
    document = metadata.to_json()
    return {
        "model_name": metadata.name,
        "model_version": metadata.version,
        "input_shape": [None, metadata.input.height, metadata.input.width, metadata.input.channels],
        "layers": document["layers"],
        "parameters": asdict(metadata.parameters),
        "multiply_adds": sum(layer.multiply_adds for layer in metadata.layers),
    }
