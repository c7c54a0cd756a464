"""The images in requests of TensorFlow Serving's :predict and :classify, in all their forms, become inputs.

An image is nested lists of pixels, or an image file in base64, `{"b64": …}`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, Metadata
from service.codecs.base64_images import read_base64
from service.codecs.inputs import EncodedImage, EncodedImages, Inputs, PixelArray
from service.codecs.json_bodies import read_nested
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
IMAGE_BYTES, DATA = "image_bytes", "data"  # names in the samples of KServe, for TensorFlow and for TorchServe
SAMPLE_MEMBERS = {"key", "target"}  # beside the image in these samples: the client's own name, and a class to explain
_KINDS = {str: "a text", bool: "a truth value", dict: 'an object without "b64"', type(None): "null"}

Pixels = NDArray[Any]
Image = EncodedImage | Pixels


def read_predict(request: PredictRequest, metadata: Metadata, limits: Limits) -> Inputs:
    """The images of :predict; raises InvalidRequest, InvalidArray, InvalidImage or TooLarge."""
    split, name = (_split_rows, ROWS) if request.by_row else (_split_columns, COLUMNS)
    return _read_images(split(request.value, metadata), name, metadata.input, limits)


def read_classify(request: ClassifyRequest, metadata: Metadata, limits: Limits) -> Inputs:
    """The images of :classify; raises the same."""
    examples = check_list(request.examples, "examples")
    limits.check_count(len(examples))
    is_shared = request.context and any(example == {} for example in examples)
    shared = _read_context(request.context, metadata) if is_shared else None
    images = [_read_example(example, shared, metadata, number) for number, example in enumerate(examples, start=1)]
    return gather(images, metadata.input)


def read_image(value: Any, name: str) -> Image:
    """An image file, or pixels of any shape; raises InvalidRequest, InvalidImage or InvalidArray with the name."""
    value = _unwrap(value)
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


def _read_images(values: list[Any], name: str, spec: InputSpec, limits: Limits) -> Inputs:
    """The images in a list with an item for each, which is the member of this name.

    They are counted before they are read, but for pixels of a wrong shape: of a flat list of 784 numbers the shape is
    what is wrong. The predictor raises the error for it.
    """
    if isinstance(values[0], int | float) and not isinstance(values[0], bool):
        return PixelArray(read_nested(values, f'"{name}"'))
    if not isinstance(values[0], list):
        limits.check_count(len(values))
    first = read_image(values[0], "image 1")
    if not isinstance(first, EncodedImage) and not _fits(first, spec):
        return PixelArray(np.broadcast_to(first, (len(values), *first.shape)))  # a view: copies might be huge
    limits.check_count(len(values))
    others = [read_image(value, f"image {number}") for number, value in enumerate(values[1:], start=2)]
    return gather([first, *others], spec)


def _fits(pixels: Pixels, spec: InputSpec) -> bool:
    shape = (spec.height, spec.width, spec.channels)
    return pixels.shape == shape or (spec.channels == 1 and pixels.shape == shape[:2])


def _unwrap(value: Any) -> Any:
    """The object in lists of one item each, as clients nest files for a tensor of shape [N, 1]; else the value."""
    inner = value
    while isinstance(inner, list) and len(inner) == 1:
        inner = inner[0]
    return inner if isinstance(inner, dict) else value


def _split_rows(instances: Any, metadata: Metadata) -> list[Any]:
    values = check_list(instances, ROWS)
    named = sum(map(_is_named, values))
    if not named:
        return values
    if named < len(values):
        raise InvalidRequest(f'all of "{ROWS}" must have one form: either each names its tensor, or none does')
    return [_named_value(value, metadata) for value in values]


def _split_columns(inputs: Any, metadata: Metadata) -> list[Any]:
    tensor = _named_value(inputs, metadata) if _is_named(inputs) else inputs
    return [tensor] if is_file(tensor) else check_list(tensor, COLUMNS)


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not is_file(value)


def _named_value(members: JsonObject, metadata: Metadata) -> Any:
    """The value for the model's one input, whose name an InvalidRequest gives."""
    name = metadata.input.name
    images = _image_names(members, metadata)
    if len(images) != 1 or members.keys() - {*images, *SAMPLE_MEMBERS}:
        names = ", ".join(f'"{each:.40}"' for each in list(members)[:5]) or "none"
        only = f'{metadata.name} has one input, "{name}"; you named {names}'
        raise InvalidRequest(f'{only}: send {{"{name}": <pixels>}} or {{"{name}{SUFFIX}": {FILE}}}')
    return _as_files(members[images[0]]) if images[0] == DATA else members[images[0]]


def _image_names(members: JsonObject, metadata: Metadata) -> list[str]:
    """The names in the members that are ones of the model's input."""
    name = metadata.input.name
    return [each for each in members if each in (name, name + SUFFIX, IMAGE_BYTES, DATA)]


def _as_files(value: Any) -> Any:
    """The value under the name `data`, where image files may come as base64 texts alone."""
    if isinstance(value, str):
        return {"b64": value}
    return [_as_files(each) if isinstance(each, str) else each for each in value] if isinstance(value, list) else value


def _read_example(example: Any, shared: Image | None, metadata: Metadata, number: int) -> Image:
    if not isinstance(example, dict):
        raise InvalidRequest(f'example {number} must be an object of features: {{"{metadata.input.name}": {FILE}}}')
    if not example and shared is not None:
        return shared
    return _read_feature(example, metadata, f"image {number}")


def _read_context(context: JsonObject, metadata: Metadata) -> Image:
    """The image for examples without one; other features are ignored, as TensorFlow Serving does."""
    images = _image_names(context, metadata)
    members = {name: context[name] for name in images} if images else context
    return _read_feature(members, metadata, 'the image of "context"')


def _read_feature(features: JsonObject, metadata: Metadata, name: str) -> Image:
    """An image whose pixels may also come in one flat list, for a feature of tf.Example has no shape."""
    image = read_image(_named_value(features, metadata), name)
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
