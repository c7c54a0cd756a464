"""GET /models and the model cards."""

from typing import Any

from flask import Blueprint, Response

from service.loadedversion import READY, LoadedVersion
from service.registry import ModelRegistry
from service.routes.answers import json_answer
from service.trafficsplit import Part, TrafficSplit
from service.versions import parse_version


def model_routes(registry: ModelRegistry) -> Blueprint:
    """What is loaded, what was refused and why, and everything that a bundle says of itself."""
    routes = Blueprint("models", __name__)

    @routes.get("/models")
    def models() -> Response:
        return json_answer({"models": [_overview(registry, name) for name in registry.names()]})

    @routes.get("/models/<name>")
    def model(name: str) -> Response:
        return json_answer(_overview(registry, name))

    @routes.get("/models/<name>/versions/<version>")
    def model_card(name: str, version: str) -> Response:
        predictor = registry.get(name, parse_version(version))
        return json_answer({"state": READY, **predictor.metadata.to_json()})

    return routes


def _overview(registry: ModelRegistry, name: str) -> dict[str, Any]:
    versions = [_version(each) for each in registry.versions(name)]
    return {"name": name, **_answering(registry.splits.get(name)), "versions": versions}


def _answering(split: TrafficSplit | None) -> dict[str, Any]:
    """The versions that requests which name none meet; only what is in effect."""
    if split is None:
        return {}
    trials = {"canary": split.canary, "shadow": split.shadow}
    default: dict[str, Any] = {"default": split.default.metadata.version}
    return default | {name: _part(each) for name, each in trials.items() if each}


def _part(part: Part) -> dict[str, Any]:
    return {"version": part.predictor.metadata.version, "share": part.share}


def _version(loaded: LoadedVersion) -> dict[str, Any]:
    row: dict[str, Any] = {"version": loaded.version, "state": loaded.state}
    if loaded.reason:
        row["reason"] = loaded.reason
    if loaded.predictor is None:
        return row
    metadata = loaded.predictor.metadata
    size = f"{metadata.input.height}×{metadata.input.width}"
    if metadata.output.abstain_below is not None:
        row["abstain_below"] = metadata.output.abstain_below
    return {
        **row,
        "description": metadata.description,
        "sha256": loaded.predictor.digest,
        "input": f"{size} {metadata.preprocessing.mode}",
        "labels": metadata.labels,
        "accuracy": metadata.evaluation.get("accuracy"),
    }
