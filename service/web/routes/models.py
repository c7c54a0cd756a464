"""GET /models, the model cards, and GET /summary: the layer table, as JSON or as the text that Keras prints."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Request, Response, request

from modelrepo.metadata import Metadata
from modelrepo.table import layer_table
from service.codecs.parameters import read_url_parameters
from service.errors import InvalidRequest
from service.inference.model_version import LoadedVersion, ModelVersion, VersionState
from service.inference.registry import ModelRegistry
from service.inference.traffic_split import Part, TrafficSplit
from service.protocols.common import parse_version
from service.web.responses import json_response


def model_routes(registry: ModelRegistry) -> Blueprint:
    """What is loaded, what was rejected and why, and everything that a bundle says of itself."""
    routes = Blueprint("models", __name__)

    @routes.get("/models")
    def models() -> Response:
        return json_response({"models": [_overview(registry, name) for name in registry.names()]})

    @routes.get("/models/<name>")
    def model(name: str) -> Response:
        return json_response(_overview(registry, name))

    @routes.get("/models/<name>/versions/<version>")
    def model_card(name: str, version: str) -> Response:
        predictor = registry.get(name, parse_version(version))
        return json_response({"state": VersionState.READY, **predictor.metadata.to_json()})

    return routes


def _overview(registry: ModelRegistry, name: str) -> dict[str, Any]:
    versions = [_version(each) for each in registry.versions(name)]
    return {"name": name, **_traffic(registry.splits.get(name)), "versions": versions}


def _traffic(split: TrafficSplit | None) -> dict[str, Any]:
    """The versions that requests without a version get; only what is in effect."""
    if split is None:
        return {}
    trials = {"canary": split.canary, "shadow": split.shadow}
    default: dict[str, Any] = {"default": split.default.metadata.version}
    return default | {name: _part(each) for name, each in trials.items() if each}


def _part(part: Part) -> dict[str, Any]:
    return {"version": part.predictor.metadata.version, "share": part.share}


def _version(version: ModelVersion) -> dict[str, Any]:
    row: dict[str, Any] = {"version": version.version, "state": version.state}
    if version.reason:
        row["reason"] = version.reason
    if not isinstance(version, LoadedVersion):
        return row
    metadata = version.predictor.metadata
    size = f"{metadata.input.height}×{metadata.input.width}"
    return {
        **row,
        **_thresholds(metadata),
        "description": metadata.description,
        "sha256": version.predictor.digest,
        "input": f"{size} {metadata.preprocessing.mode}",
        "labels": metadata.labels,
        "accuracy": metadata.evaluation.get("accuracy"),
    }


def _thresholds(metadata: Metadata) -> dict[str, float]:
    """The bounds beyond which the model abstains; only those that it has."""
    bounds = {"abstain_below": metadata.output.abstain_below, "outlier_above": metadata.output.outlier_above}
    return {name: bound for name, bound in bounds.items() if bound is not None}


def summary_routes(registry: ModelRegistry) -> Blueprint:
    """The summaries of the default model and of a named one."""
    routes = Blueprint("summary", __name__)

    @routes.get("/summary")
    def summary_default() -> Response:
        return _summary(registry)

    @routes.get("/models/<name>/summary")
    def summary_model(name: str) -> Response:
        return _summary(registry, name)

    @routes.get("/models/<name>/versions/<version>/summary")
    def summary_version(name: str, version: str) -> Response:
        return _summary(registry, name, version)

    return routes


def _summary(registry: ModelRegistry, name: str | None = None, version: str | None = None) -> Response:
    parameters = read_url_parameters(name, version, request.args.items(multi=True), ("model", "version", "format"))
    name, version = parameters.wanted
    metadata = registry.get(name, parse_version(version)).metadata
    if _wants_text(parameters.get("format"), request):
        return Response(layer_table(metadata), content_type="text/plain; charset=utf-8")
    return json_response(_summary_document(metadata))


def _wants_text(wanted: str | None, request: Request) -> bool:
    if wanted not in (None, "text", "json"):
        raise InvalidRequest(f"format must be json or text, not {wanted!r:.82}")
    if wanted is not None:
        return wanted == "text"
    return request.accept_mimetypes.best_match(["application/json", "text/plain"]) == "text/plain"


def _summary_document(metadata: Metadata) -> dict[str, object]:
    document = metadata.to_json()
    return {
        "model_name": metadata.name,
        "model_version": metadata.version,
        "input_shape": [None, metadata.input.height, metadata.input.width, metadata.input.channels],
        "layers": document["layers"],
        "parameters": asdict(metadata.parameters),
        "multiply_adds": sum(layer.multiply_adds for layer in metadata.layers),
    }
