"""The one place that turns a tensor of a request, in any form, into images or pixels."""

import math
import struct
from typing import Any

from numpy.typing import NDArray

from modelrepo.metadata import Metadata
from service.base64images import read_base64
from service.dialects.openinference.datatypes import BYTES, NUMERIC, PIXELS, Datatype
from service.dialects.openinference.request import Tensor
from service.errors import InvalidArray, InvalidRequest
from service.inputs import EncodedImage, EncodedImages, Inputs, PixelArray
from service.limits import Limits
from service.nested import read_nested

LENGTH = struct.Struct("<I")  # before each element of BYTES
FILE_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II", b"MM")  # of the formats that are read


def read_inputs(tensors: tuple[Tensor, ...], metadata: Metadata, limits: Limits) -> Inputs:
    """What the model's one input holds; raises InvalidRequest, InvalidArray, InvalidImage or TooLarge."""
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
    if _is_certainly_a_file(content) or (len(content) != pixels and content.startswith(FILE_STARTS)):
        return EncodedImages((EncodedImage(content, "the image"),))
    if len(content) != pixels:
        size = f"the {pixels} bytes of {spec.height}×{spec.width}×{spec.channels} pixels"
        raise InvalidArray(f"the body has {len(content)} bytes: {metadata.name} takes an image file, or {size}")
    return PixelArray(NUMERIC[PIXELS].read(content).reshape(1, spec.height, spec.width, spec.channels))


def _is_certainly_a_file(content: bytes) -> bool:
    """Whether no pixels look like this: PNG and GIF say their names, JPEG has five bytes at its two ends."""
    is_jpeg = content.startswith(b"\xff\xd8\xff") and content.endswith(b"\xff\xd9")
    return is_jpeg or content.startswith((b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a"))


def _read(tensor: Tensor, model: str, limits: Limits) -> Inputs:
    count = math.prod(tensor.shape)
    if count == 0:
        raise InvalidArray(f"input {tensor.name!r} has shape {list(tensor.shape)}: send at least one image")
    limits.check_count(tensor.shape[0] if tensor.shape else 1)
    if tensor.datatype == BYTES:
        return _read_images(tensor, count)
    datatype = NUMERIC.get(tensor.datatype)
    if datatype is None:
        raise InvalidRequest(
            f"inference input {tensor.name!r} data-type is {tensor.datatype!r}, but model {model!r} expects {PIXELS}, "
            f"another numeric type with whole numbers from 0 to 255, or {BYTES}"
        )
    elements = _from_json(tensor, datatype) if tensor.binary is None else _from_binary(tensor, datatype, count)
    _check_size(tensor, elements.size, count)
    return PixelArray(elements.reshape(tensor.shape))


def _from_json(tensor: Tensor, datatype: Datatype) -> NDArray[Any]:
    if not datatype.in_json:
        raise InvalidRequest(
            f"receiving {tensor.datatype} data via JSON is not supported. Please use the binary data format "
            f"for input {tensor.name!r}"
        )
    values = read_nested(tensor.data, f'"data" of input {tensor.name!r}').values
    if values.size and not datatype.contains(values):
        raise InvalidArray(f"input {tensor.name!r} holds numbers that are not {tensor.datatype}: pixels are 0 to 255")
    return values


def _from_binary(tensor: Tensor, datatype: Datatype, count: int) -> NDArray[Any]:
    content = tensor.binary or b""
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
        images = _split(tensor.binary, count)
    elif isinstance(tensor.data, list):
        texts = [text for each in tensor.data for text in (each if isinstance(each, list) else [each])]
        images = tuple(read_base64(text, f"image {number}") for number, text in enumerate(texts, start=1))
    else:
        raise InvalidRequest(f'"data" of input {tensor.name!r} must be an array of base64 texts')
    _check_size(tensor, len(images), count)
    return EncodedImages(images)


def _check_size(tensor: Tensor, size: int, count: int) -> None:
    if size != count:
        shape = list(tensor.shape)
        raise InvalidArray(f"input {tensor.name!r} has {size} elements, but its shape {shape} asks for {count}")


def _split(content: memoryview, count: int) -> tuple[EncodedImage, ...]:
    """The elements of a binary BYTES tensor, each behind its length."""
    images, start = [], 0
    for number in range(1, count + 1):
        begin = start + LENGTH.size
        start = begin + LENGTH.unpack_from(content, start)[0] if begin <= len(content) else len(content) + 1
        if start > len(content):
            raise InvalidArray(f"the {BYTES} tensor ends within image {number} of {count}")
        images.append(EncodedImage(bytes(content[begin:start]), f"image {number}"))
    if start != len(content):
        raise InvalidArray(f"{len(content) - start} bytes follow behind the {count} elements of the {BYTES} tensor")
    return tuple(images)
