"""JSON Schema of the nested lists of pixels that a model takes."""

from typing import Any

from modelrepo.metadata import InputSpec, Metadata

Schema = dict[str, Any]


def batch_schema(metadata: Metadata, most: int) -> Schema:
    """Up to `most` images, [N, height, width, channels]; a single channel needs no axis of its own."""
    spec = metadata.input
    title = f"{metadata.name}: [N, {spec.height}, {spec.width}, {spec.channels}]"
    return {"title": title, "type": "array", "minItems": 1, "maxItems": most, "items": _image(spec)}


def image_schema(metadata: Metadata) -> Schema:
    """One image, [height, width, channels]."""
    spec = metadata.input
    return {"title": f"{metadata.name}: [{spec.height}, {spec.width}, {spec.channels}]", **_image(spec)}


def _image(spec: InputSpec) -> Schema:
    value: Schema = {"type": "number", "minimum": 0, "maximum": 255, "multipleOf": 1}
    pixel: Schema = _exactly(spec.channels, value)
    if spec.channels == 1:
        pixel = {"anyOf": [pixel, value]}
    return _exactly(spec.height, _exactly(spec.width, pixel))


def _exactly(length: int, items: Schema) -> Schema:
    return {"type": "array", "minItems": length, "maxItems": length, "items": items}
