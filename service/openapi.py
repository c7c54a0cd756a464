"""The OpenAPI 3.1 description: skeletons that are data, filled in with what is loaded and with the limits."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from modelrepo.metadata import Metadata
from service.dialects.tfserving.inputs import SUFFIX
from service.errors import RequestError
from service.pixelschemas import batch_schema, image_schema
from service.registry import ModelRegistry
from service.settings import Settings

FRAMEWORK_CODES = {
    "bad_request",
    "internal_error",
    "method_not_allowed",
    "route_not_found",
}  # no class of ours has them
SAME = "x-same-as"  # of an operation: the id of another one, whose description holds for it too
SHOWN_LABELS = 12  # of a model; ImageNet's thousand would hide everything else

Schema = dict[str, Any]


def describe(skeletons: Sequence[bytes], registry: ModelRegistry, settings: Settings) -> Schema:
    """The whole document from the JSON texts of everything that does not depend on models and settings.

    The first skeleton is a document; the others add `paths` and `components` to it.
    """
    document = _merge([orjson.loads(skeleton) for skeleton in skeletons])
    _complete(document["paths"])
    components = document["components"]
    loaded = _newest(registry)
    document["info"]["description"] += "".join(f"\n\n{_introduce(each)}" for each in loaded)
    _fill_parameters(components["parameters"], registry.names(), loaded)
    _fill_schemas(components["schemas"], loaded, settings)
    for body in components["requestBodies"].values():
        body["description"] += _limits(settings)
    return document


def _merge(skeletons: list[Schema]) -> Schema:
    document, *others = skeletons
    for other in others:
        document["paths"] |= other["paths"]
        for kind, members in other["components"].items():
            document["components"][kind] |= members
    return document


def _complete(paths: Schema) -> None:
    """Give operations that are the same as another one what they do not say themselves."""
    operations = {
        operation["operationId"]: operation
        for item in paths.values()
        for member, operation in item.items()
        if member != "parameters"
    }
    for operation in operations.values():
        if SAME in operation:
            same = operations[operation[SAME]]
            responses = {**same["responses"], **operation.get("responses", {})}
            operation.update({**same, **operation, "responses": responses})


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
    for pictures in (several, schemas["PictureFiles"], schemas["NamedPictures"], schemas["Examples"]):
        pictures["maxItems"] = settings.max_images
    schemas["Error"]["properties"]["code"]["enum"] = _codes()
    if loaded:
        schemas["Label"]["examples"] = _distinct(each.labels[0] for each in loaded)
        schemas["Instances"]["anyOf"] = [batch_schema(each, settings.max_images) for each in loaded]
        schemas["Pixels"]["anyOf"] = [image_schema(each) for each in loaded]
        _fill_names(schemas, loaded)


def _fill_names(schemas: dict[str, Schema], loaded: list[Metadata]) -> None:
    """The names of the models' inputs and outputs, where requests have to say them."""
    inputs = _distinct(each.input.name for each in loaded)
    schemas["InferInput"]["properties"]["name"]["enum"] = inputs
    schemas["RequestedOutput"]["properties"]["name"]["enum"] = _distinct(each.output.name for each in loaded)
    for name in ("NamedPicture", "NamedBatch", "Example"):
        schemas[name]["propertyNames"] = {"enum": [*inputs, *(f"{each}{SUFFIX}" for each in inputs)]}


def _introduce(metadata: Metadata) -> str:
    labels = ", ".join(metadata.labels[:SHOWN_LABELS]) + (", …" if len(metadata.labels) > SHOWN_LABELS else "")
    size = f"{metadata.input.height}×{metadata.input.width} {metadata.preprocessing.mode}"
    return f"`{metadata.name}` looks at {size} and knows {len(metadata.labels)} labels: {labels}."


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _codes() -> list[str]:
    return sorted(FRAMEWORK_CODES | {error.code for error in RequestError.__subclasses__()})


def _limits(settings: Settings) -> str:
    return (
        f" At most {settings.max_body_bytes:,} bytes a request, {settings.max_images:,} pictures a request"
        f" and {settings.max_pixels:,} pixels a picture."
    )
