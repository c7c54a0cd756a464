"""The one place that turns the values of a request, in any of its forms, into inputs."""

import math
from typing import Any

from modelrepo.metadata import Metadata
from service.dialects.tfserving.images import Image, gather, is_file, read_image
from service.dialects.tfserving.request import (
    COLUMNS,
    FILE,
    ROWS,
    ClassifyRequest,
    JsonObject,
    PredictRequest,
    check_list,
)
from service.errors import InvalidRequest
from service.inputs import EncodedImage, Inputs
from service.limits import Limits

SUFFIX = "_bytes"  # TensorFlow Serving's convention for the names of tensors that hold bytes


def read_predict(request: PredictRequest, metadata: Metadata, limits: Limits) -> Inputs:
    """The images of :predict; raises InvalidRequest, InvalidArray, InvalidImage or TooLarge."""
    read = _split_rows if request.by_row else _split_columns
    values = read(request.value, metadata, limits)
    images = [read_image(value, f"image {number}") for number, value in enumerate(values, start=1)]
    return gather(images, metadata.input)


def read_classify(request: ClassifyRequest, metadata: Metadata, limits: Limits) -> Inputs:
    """The images of :classify; raises the same."""
    examples = check_list(request.examples, "examples", limits)
    shared = _read_feature(request.context, metadata, 'the image of "context"') if request.context else None
    images = [_read_example(example, shared, metadata, number) for number, example in enumerate(examples, start=1)]
    return gather(images, metadata.input)


# :predict


def _split_rows(instances: Any, metadata: Metadata, limits: Limits) -> list[Any]:
    values = check_list(instances, ROWS, limits)
    named = sum(map(_is_named, values))
    if not named:
        return values
    if named < len(values):
        raise InvalidRequest(f'all of "{ROWS}" must have one form: either each names its tensor, or none does')
    return [_named_value(value, metadata) for value in values]


def _split_columns(inputs: Any, metadata: Metadata, limits: Limits) -> list[Any]:
    tensor = _named_value(inputs, metadata) if _is_named(inputs) else inputs
    return [tensor] if is_file(tensor) else check_list(tensor, COLUMNS, limits)


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not is_file(value)


def _named_value(members: JsonObject, metadata: Metadata) -> Any:
    """What the model's one input is given; raises InvalidRequest, which says its name."""
    name = metadata.input.name
    sent = list(members)
    if sent not in ([name], [name + SUFFIX]):
        names = ", ".join(f'"{each:.40}"' for each in sent[:5]) or "none"
        only = f'{metadata.name} has one input, "{name}"; you named {names}'
        raise InvalidRequest(f'{only}: send {{"{name}": <pixels>}} or {{"{name}{SUFFIX}": {FILE}}}')
    return members[sent[0]]


# :classify


def _read_example(example: Any, shared: Image | None, metadata: Metadata, number: int) -> Image:
    if not isinstance(example, dict):
        raise InvalidRequest(f'example {number} must be an object of features: {{"{metadata.input.name}": {FILE}}}')
    if not example and shared is not None:
        return shared
    return _read_feature(example, metadata, f"image {number}")


def _read_feature(features: JsonObject, metadata: Metadata, name: str) -> Image:
    """An image whose pixels may also come in one flat list, for a feature of tf.Example has no shape."""
    value = _named_value(features, metadata)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0]  # a feature of tf.Example is a list, of one value too
    image = read_image(value, name)
    spec = metadata.input
    shape = (spec.height, spec.width, spec.channels)
    if isinstance(image, EncodedImage) or image.ndim != 1 or image.size != math.prod(shape):
        return image
    return image.reshape(shape)
