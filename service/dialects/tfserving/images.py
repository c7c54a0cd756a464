"""One image of a request, as nested lists of pixels or as an image file in base64, and many of them together."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec
from service.base64images import read_base64
from service.dialects.tfserving.request import FILE
from service.errors import InvalidArray, InvalidRequest, RaggedArray
from service.inputs import EncodedImage, EncodedImages, Inputs, PixelArray
from service.nested import read_nested
from service.pixels import show_shape

_KINDS = {str: "a text", bool: "a truth value", dict: 'an object without "b64"', type(None): "null"}

Pixels = NDArray[Any]
Image = EncodedImage | Pixels


def is_file(value: Any) -> bool:
    """Whether this is TensorFlow Serving's form for bytes in JSON, or tries to be."""
    return isinstance(value, dict) and "b64" in value


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
            shapes = f"image 1 has the shape {show_shape(first.shape)}, image {number} {show_shape(array.shape)}"
            wanted = show_shape((spec.height, spec.width, spec.channels))
            raise InvalidArray(f"Encountered list at unexpected size: {shapes}: send {wanted} each")
    if first.size != math.prod((spec.height, spec.width, spec.channels)):
        # The predictor refuses this shape. A view, for copies of one that all examples share might be huge.
        return PixelArray(np.broadcast_to(first, (len(arrays), *first.shape)))
    return PixelArray(np.stack(arrays))
