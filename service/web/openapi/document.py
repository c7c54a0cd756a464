"""The OpenAPI 3.1 document: skeletons that are data, filled in with what is loaded and with the limits."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from modelrepo.metadata import InputSpec, Metadata
from modelrepo.repository import LAST_VERSION, MODEL_NAME
from preprocessing.decode import FORMATS
from service.errors import RequestError
from service.inference.registry import ModelRegistry
from service.settings import Settings

FILL = "x-fill"  # of an object: the name of what fills it in
SUFFIXES = "x-suffixes"  # of an object filled in with names: what may be behind them
SAME = "x-same-as"  # of an operation: the id of another one, whose description holds for it too
FRAMEWORK_CODES = {"bad_request", "internal_error", "method_not_allowed", "route_not_found"}  # of no class in `errors`
SHOWN_LABELS = 12  # of a model; ImageNet's thousand would hide everything else
PICTURE = (  # in the examples: a 3 of 28×28 pixels, white on black, as a PNG in base64
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcAQAAAABaduI5AAAATUlEQVR42m3NMRGDQBgF4e/e0V8cJFJOEhKQhoRI+CUwMQBFho6tttiZ5Yk38dnE"
    "nOIHSiB/68SyCxOtxEnn+IbXHdeBtcQonbYzHqcudNINqDItJakAAAAASUVORK5CYII="
)

Schema = dict[str, Any]
BINARY: Schema = {"type": "string", "format": "binary"}  # generators of clients know bytes by it
VALUE: Schema = {"type": "number", "minimum": 0, "maximum": 255, "multipleOf": 1}  # of a pixel, or of a channel of it
Fill = Callable[[Schema], Schema]  # from a marked object of a skeleton to the members that it gets


def describe(skeletons: Sequence[bytes], registry: ModelRegistry, settings: Settings) -> Schema:
    """The whole document from the JSON texts of everything that does not depend on models and settings.

    The first is a document; the others add `paths` and `components` to it. Raises KeyError for a mark not known here.
    """
    document = _merge([orjson.loads(skeleton) for skeleton in skeletons])
    _complete(document["paths"])
    filled: Schema = _fill(document, _fills(registry, settings), _texts(registry))
    return filled


def _merge(skeletons: list[Schema]) -> Schema:
    document, *others = skeletons
    for other in others:
        document["paths"] |= other["paths"]
        for kind, members in other["components"].items():
            document["components"].setdefault(kind, {}).update(members)
    return document


def _complete(paths: Schema) -> None:
    """Copy from the operation that `x-same-as` names what an operation does not have itself."""
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


def _fill(value: Any, fills: dict[str, Fill], texts: dict[str, str]) -> Any:
    """The value with every marked object in it filled in, behind its own members, and without the marks.

    `texts` are what the placeholders stand for, as names of members and as values.
    """
    if isinstance(value, list):
        return [_fill(each, fills, texts) for each in value]
    if not isinstance(value, dict):
        return texts.get(value, value) if isinstance(value, str) else value
    members = {
        texts.get(name, name): _fill(member, fills, texts)
        for name, member in value.items()
        if name not in (FILL, SUFFIXES)
    }
    filled = fills[value[FILL]](value) if FILL in value else {}
    return {**members, **filled}


def _texts(registry: ModelRegistry) -> dict[str, str]:
    """What the placeholders of the examples stand for; the names are those of the model that the examples name."""
    ready = [registry.get(name, None).metadata for name in list(registry.splits)[:1]]
    return {
        "<picture>": PICTURE,
        "<picture url>": f"data:image/png;base64,{PICTURE}",
        "<input name>": next((each.input.name for each in ready), "image"),
    }


def _fills(registry: ModelRegistry, settings: Settings) -> dict[str, Fill]:
    """What fills a marked object in, by its mark; where it needs a loaded model and there is none, it adds nothing."""
    names, ready, most = registry.names(), list(registry.splits), settings.max_images
    loaded = [registry.get(name, None).metadata for name in ready]  # of the version for requests that name none
    codes = FRAMEWORK_CODES | {error.code for error in RequestError.__subclasses__()}
    return {
        "introductions": lambda marked: _append(marked, "".join(f"\n\n{_introduce(each)}" for each in loaded)),
        "limits": lambda marked: _append(marked, _limits(settings)),
        "model name": lambda _: {"pattern": f"^{MODEL_NAME.pattern}$", **_some("examples", names)},
        "model choice": lambda _: {"pattern": f"^({MODEL_NAME.pattern})?$", **_some("examples", names)},
        "last version": lambda _: {"format": "int64", "maximum": LAST_VERSION},
        "model example": lambda _: _some("example", next(iter(ready or names), None)),
        "version example": lambda _: {"example": next((each.version for each in loaded), 1)},
        "input names": lambda marked: _enumerate(marked, [each.input.name for each in loaded]),
        "input name": lambda _: _some("pattern", _pattern([each.input.name for each in loaded])),
        "output name": lambda _: _some("pattern", _pattern([each.output.name for each in loaded])),
        "label examples": lambda _: _some("examples", _distinct(each.labels[0] for each in loaded)),
        "most classes": lambda _: _some("maximum", max((each.output.classes for each in loaded), default=None)),
        "most images": lambda _: {"maxItems": most},
        "batches of pixels": lambda _: _some("anyOf", [form for each in loaded for form in _batch_schemas(each, most)]),
        "pixels": lambda _: _some("anyOf", [form for each in loaded for form in _image_schemas(each)]),
        "flat pixels": lambda _: _some("anyOf", [_flat(each.input) for each in loaded]),
        "image types": lambda _: {each.media_type: {"schema": BINARY} for each in FORMATS},
        "error codes": lambda marked: _enumerate(marked, sorted(codes)),
    }


def _some(member: str, value: object) -> Schema:
    return {member: value} if value else {}


def _append(marked: Schema, text: str) -> Schema:
    return {"description": marked["description"] + text}


def _enumerate(marked: Schema, names: list[str]) -> Schema:
    return _some("enum", _distinct(name + suffix for suffix in marked.get(SUFFIXES, [""]) for name in names))


def _pattern(names: list[str]) -> str:
    """A pattern of nothing but these names: of an enumeration a client would make a type, without tomorrow's names."""
    return f"^({'|'.join(map(re.escape, _distinct(names)))})$" if names else ""


def _introduce(metadata: Metadata) -> str:
    labels = ", ".join(metadata.labels[:SHOWN_LABELS]) + (", …" if len(metadata.labels) > SHOWN_LABELS else "")
    size = f"{metadata.input.height}×{metadata.input.width} {metadata.preprocessing.mode}"
    return f"`{metadata.name}` takes {size} images and has {len(metadata.labels)} labels: {labels}."


def _limits(settings: Settings) -> str:
    request = f"{settings.max_body_bytes:,} bytes a request, {settings.max_images:,} images a request"
    return f" At most {request} and {settings.max_pixels:,} pixels an image."


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _batch_schemas(metadata: Metadata, most: int) -> list[Schema]:
    """Up to `most` images, [N, height, width, channels]; a single channel needs no axis of its own."""
    return [
        {"title": f"{metadata.name}: [N, {axes}]", "type": "array", "minItems": 1, "maxItems": most, "items": image}
        for axes, image in _images(metadata.input)
    ]


def _image_schemas(metadata: Metadata) -> list[Schema]:
    """One image, likewise."""
    return [{"title": f"{metadata.name}: [{axes}]", **image} for axes, image in _images(metadata.input)]


def _images(spec: InputSpec) -> list[tuple[str, Schema]]:
    """Every form of one image: its axes, and its schema."""
    size = f"{spec.height}, {spec.width}"
    forms = [
        (f"{size}, {spec.channels}", _exactly(spec.channels, VALUE)),
        *([(size, VALUE)] if spec.channels == 1 else []),
    ]
    return [(axes, _exactly(spec.height, _exactly(spec.width, pixel))) for axes, pixel in forms]


def _flat(spec: InputSpec) -> Schema:
    """The pixels of one image in one list."""
    return _exactly(spec.height * spec.width * spec.channels, VALUE)


def _exactly(length: int, items: Schema) -> Schema:
    return {"type": "array", "minItems": length, "maxItems": length, "items": items}
