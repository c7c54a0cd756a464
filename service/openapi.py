"""The OpenAPI 3.1 description: a skeleton that is data, filled in with what is loaded and with the limits."""

from typing import Any

import orjson

from modelrepo.metadata import InputSpec, Metadata
from service.errors import RequestError
from service.registry import ModelRegistry
from service.settings import Settings

FRAMEWORK_CODES = {
    "bad_request",
    "internal_error",
    "method_not_allowed",
    "route_not_found",
}  # no class of ours has them
SHOWN_LABELS = 12  # of a model; ImageNet's thousand would hide everything else

Schema = dict[str, Any]


def describe(skeleton: bytes, registry: ModelRegistry, settings: Settings) -> Schema:
    """The whole document; `skeleton` is the JSON text of everything that does not depend on models and settings."""
    document: Schema = orjson.loads(skeleton)
    components = document["components"]
    loaded = _newest(registry)
    document["info"]["description"] += "".join(f"\n\n{_introduce(each)}" for each in loaded)
    _fill_parameters(components["parameters"], registry.names(), loaded)
    _fill_schemas(components["schemas"], loaded, settings)
    components["requestBodies"]["Pictures"]["description"] += _limits(settings)
    return document


def _newest(registry: ModelRegistry) -> list[Metadata]:
    """What answers for each model where no version is named."""
    unready = registry.unready_models()
    return [registry.get(name, None).metadata for name in registry.names() if name not in unready]


def _fill_parameters(parameters: dict[str, Schema], names: list[str], loaded: list[Metadata]) -> None:
    if names:
        parameters["Name"]["schema"]["enum"] = parameters["ModelQuery"]["schema"]["enum"] = names
        parameters["Name"]["example"] = loaded[0].name if loaded else names[0]
    if loaded:
        top_k = parameters["TopK"]["schema"]
        top_k["maximum"] = max(each.output.classes for each in loaded)
        top_k["default"] = min(top_k["default"], top_k["maximum"])


def _fill_schemas(schemas: dict[str, Schema], loaded: list[Metadata], settings: Settings) -> None:
    several = schemas["PicturesInJson"]["oneOf"][1]["properties"]["images"]
    several["maxItems"] = settings.max_images
    schemas["Error"]["properties"]["code"]["enum"] = _codes()
    if loaded:
        schemas["Label"]["examples"] = list(dict.fromkeys(each.labels[0] for each in loaded))
        schemas["Instances"]["anyOf"] = [_instances(each, settings.max_images) for each in loaded]


def _introduce(metadata: Metadata) -> str:
    labels = ", ".join(metadata.labels[:SHOWN_LABELS]) + (", …" if len(metadata.labels) > SHOWN_LABELS else "")
    size = f"{metadata.input.height}×{metadata.input.width} {metadata.preprocessing.mode}"
    return f"`{metadata.name}` looks at {size} and knows {len(metadata.labels)} labels: {labels}."


def _instances(metadata: Metadata, most: int) -> Schema:
    """Nested arrays [N, height, width, channels]; a single channel needs no axis of its own."""
    spec = metadata.input
    title = f"{metadata.name}: [N, {spec.height}, {spec.width}, {spec.channels}]"
    return {"title": title, "type": "array", "minItems": 1, "maxItems": most, "items": _image(spec)}


def _image(spec: InputSpec) -> Schema:
    value: Schema = {"type": "number", "minimum": 0, "maximum": 255, "multipleOf": 1}
    pixel: Schema = _exactly(spec.channels, value)
    if spec.channels == 1:
        pixel = {"anyOf": [pixel, value]}
    return _exactly(spec.height, _exactly(spec.width, pixel))


def _exactly(length: int, items: Schema) -> Schema:
    return {"type": "array", "minItems": length, "maxItems": length, "items": items}


def _codes() -> list[str]:
    return sorted(FRAMEWORK_CODES | {error.code for error in RequestError.__subclasses__()})


def _limits(settings: Settings) -> str:
    return (
        f" At most {settings.max_body_bytes:,} bytes a request, {settings.max_images:,} pictures a request"
        f" and {settings.max_pixels:,} pixels a picture."
    )
