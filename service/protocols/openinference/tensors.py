"""Tensors of a request, in any form, become images or pixels."""

import math
from typing import Any

from numpy.typing import NDArray

from modelrepo.metadata import Metadata
from preprocessing.decode import is_image
from service.codecs.base64_images import read_base64_images
from service.codecs.inputs import EncodedImage, EncodedImages, Inputs, PixelArray
from service.codecs.json_bodies import read_nested
from service.codecs.limits import Limits
from service.errors import InvalidArray, InvalidRequest
from service.protocols.openinference.datatypes import BYTES, NUMERIC, PIXELS, Datatype, is_element, split_elements
from service.protocols.openinference.request import Tensor


def read_inputs(tensors: tuple[Tensor, ...], metadata: Metadata, limits: Limits) -> Inputs:
    """The images or pixels of the model's one input; raises InvalidRequest, InvalidArray, InvalidImage or TooLarge."""
    wanted = metadata.input.name
    for tensor in tensors:
        if tensor.name != wanted:
            raise InvalidRequest(
                f"unexpected inference input {tensor.name!r} for model {metadata.name!r}: its input is {wanted!r}"
            )
    if len(tensors) != 1:
        raise InvalidRequest(f"expected 1 inputs but got {len(tensors)} inputs for model {metadata.name!r}")
    return _read(tensors[0], metadata.name, limits)


def read_raw(content: bytes, metadata: Metadata) -> Inputs:
    """A body without JSON: an image file, or the pixels of one image, row-major, as their number shows."""
    spec = metadata.input
    pixels = spec.height * spec.width * spec.channels
    if _is_image_file(content) or (len(content) != pixels and is_image(content)):
        return EncodedImages((EncodedImage(content, "the image"),))
    if len(content) != pixels:
        size = f"the {pixels} bytes of {spec.height}×{spec.width}×{spec.channels} pixels"
        raise InvalidArray(f"the body has {len(content)} bytes: {metadata.name} takes an image file, or {size}")
    return PixelArray(NUMERIC[PIXELS].read(content).reshape(1, spec.height, spec.width, spec.channels))


def _is_image_file(content: bytes) -> bool:
    """Whether this is an image file beyond doubt: by a long signature, or a short one and a matching end or length."""
    length = len(content).to_bytes(4, "little")
    is_jpeg = content.startswith(b"\xff\xd8\xff") and content.endswith(b"\xff\xd9")
    is_bmp = content.startswith(b"BM" + length)
    is_webp = content.startswith(b"RIFF") and content[8:12] == b"WEBP"
    return is_jpeg or is_bmp or is_webp or content.startswith((b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a"))


def _read(tensor: Tensor, model: str, limits: Limits) -> Inputs:
    count = math.prod(tensor.shape)
    if count == 0:
        raise InvalidArray(f"input {tensor.name!r} has shape {list(tensor.shape)}: send at least one image")
    if tensor.datatype == BYTES:
        limits.check_count(tensor.shape[0] if tensor.shape else 1)
        return _read_images(tensor, count)
    datatype = NUMERIC.get(tensor.datatype)
    if datatype is None:
        raise InvalidRequest(
            f"inference input {tensor.name!r} data-type is {tensor.datatype!r}, but model {model!r} expects {PIXELS}, "
            f"another numeric type with whole numbers from 0 to 255, or {BYTES}"
        )
    if tensor.binary is None:
        elements = _from_json(tensor, datatype)
    else:
        elements = _from_binary(tensor, tensor.binary, datatype, count)
    _check_size(tensor, elements.size, count)
    return PixelArray(elements.reshape(tensor.shape))


def _from_json(tensor: Tensor, datatype: Datatype) -> NDArray[Any]:
    if not datatype.in_json:
        raise InvalidRequest(
            f"receiving {tensor.datatype} data via JSON is not supported. Please use the binary data format "
            f"for input {tensor.name!r}"
        )
    values = read_nested(tensor.data, f'"data" of input {tensor.name!r}', "or one flat array")
    if values.size and not datatype.contains(values):
        raise InvalidArray(f"input {tensor.name!r} holds numbers that are not {tensor.datatype}: pixels are 0 to 255")
    return values


def _from_binary(tensor: Tensor, content: memoryview, datatype: Datatype, count: int) -> NDArray[Any]:
    expected = count * datatype.stored.itemsize
    if len(content) != expected:
        raise InvalidArray(
            f"input {tensor.name!r} has {len(content)} bytes; {tensor.datatype} of shape {list(tensor.shape)} "
            f"takes {expected if expected < 1 << 63 else 'far more'}"
        )
    return datatype.read(content)


def _read_images(tensor: Tensor, count: int) -> EncodedImages:
    if tensor.shape not in ((count,), (count, 1)):
        raise InvalidArray(f"images as {BYTES} have the shape [N], not {list(tensor.shape)}: one element an image file")
    if tensor.binary is not None:
        is_bare = tensor.is_rest and count == 1 and not is_element(tensor.binary)
        files = [bytes(tensor.binary)] if is_bare else split_elements(tensor.binary, count)
        return EncodedImages(tuple(EncodedImage(file, f"image {number}") for number, file in enumerate(files, start=1)))
    if not isinstance(tensor.data, list):
        raise InvalidRequest(f'"data" of input {tensor.name!r} must be an array of base64 texts')
    _check_size(tensor, len(tensor.data), count)  # before millions of empty texts become millions of images
    texts = [each[0] if isinstance(each, list) and len(each) == 1 else each for each in tensor.data]
    return read_base64_images(texts)


def _check_size(tensor: Tensor, size: int, count: int) -> None:
    if size != count:
        shape = list(tensor.shape)
        raise InvalidArray(f"input {tensor.name!r} has {size} elements, but its shape {shape} asks for {count}")
