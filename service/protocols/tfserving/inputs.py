"""The images in requests of TensorFlow Serving's :predict and :classify, in all their forms, become inputs.

An image is nested lists of pixels, or an image file in base64, `{"b64": …}`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, Metadata
from service.codecs.inputs import EncodedImage, EncodedImages, Inputs, PixelArray
from service.codecs.json_bodies import read_base64, read_nested
from service.codecs.limits import Limits
from service.codecs.pixel_arrays import format_shape
from service.errors import InvalidArray, InvalidRequest, RaggedArray
from service.protocols.tfserving.request import (
    COLUMNS,
    FILE,
    ROWS,
    ClassifyRequest,
    JsonObject,
    PredictRequest,
    check_list,
)

SUFFIX = "_bytes"  # TensorFlow Serving's convention for the names of tensors that hold bytes
_KINDS = {str: "a text", bool: "a truth value", dict: 'an object without "b64"', type(None): "null"}

Pixels = NDArray[Any]
Image = EncodedImage | Pixels


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


def read_image(value: Any, name: str) -> Image:
    """An image file, or pixels of any shape; raises InvalidRequest, InvalidImage or InvalidArray with the name."""
    if is_file(value):
        return _read_file(value, name)
    if isinstance(value, list):
        return _read_pixels(value, name)
    kind = _KINDS.get(type(value), "a number")
    raise InvalidRequest(f"{name} is {kind}: send nested lists of pixels, or {FILE}")


def gather(images: Sequence[Image], spec: InputSpec) -> Inputs:
    """Images of one kind as inputs; raises InvalidRequest for several kinds, InvalidArray for several shapes."""
    files = [image for image in images if isinstance(image, EncodedImage)]
    arrays = [image for image in images if not isinstance(image, EncodedImage)]
    if files and arrays:
        raise InvalidRequest(f"all images of a request must have one form: either pixels or {FILE}")
    return _stack(arrays, spec) if arrays else EncodedImages(tuple(files))


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
    """The value for the model's one input, whose name an InvalidRequest gives."""
    name = metadata.input.name
    sent = list(members)
    if sent not in ([name], [name + SUFFIX]):
        names = ", ".join(f'"{each:.40}"' for each in sent[:5]) or "none"
        only = f'{metadata.name} has one input, "{name}"; you named {names}'
        raise InvalidRequest(f'{only}: send {{"{name}": <pixels>}} or {{"{name}{SUFFIX}": {FILE}}}')
    return members[sent[0]]


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


def is_file(value: Any) -> bool:
    """Whether this has the form of bytes in JSON, right or with more keys than it may have."""
    return isinstance(value, dict) and "b64" in value


def _read_file(value: dict[str, Any], name: str) -> EncodedImage:
    if len(value) > 1:
        raise InvalidRequest(f'{name} has other keys beside "b64", which must be the only one: send {FILE}')
    return read_base64(value["b64"], name)


def _read_pixels(value: list[Any], name: str) -> Pixels:
    try:
        return read_nested(value, name)
    except RaggedArray as error:
        sentence = f"{name} must be nested lists of equal lengths with nothing but numbers in them"
        raise InvalidArray(f"Encountered list at unexpected size: {sentence}, [height,width,channels]") from error


def _stack(arrays: Sequence[Pixels], spec: InputSpec) -> PixelArray:
    first = arrays[0]
    for number, array in enumerate(arrays, start=1):
        if array.shape != first.shape:
            shapes = f"image 1 has the shape {format_shape(first.shape)}, image {number} {format_shape(array.shape)}"
            wanted = format_shape((spec.height, spec.width, spec.channels))
            raise InvalidArray(f"Encountered list at unexpected size: {shapes}: send {wanted} each")
    if first.size != math.prod((spec.height, spec.width, spec.channels)):
        # A view, for the predictor raises an error for this shape, and copies of one shared example might be huge.
        return PixelArray(np.broadcast_to(first, (len(arrays), *first.shape)))
    return PixelArray(np.stack(arrays))
