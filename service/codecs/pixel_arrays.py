"""Pixel arrays from clients, checked against the input of the model; an error gives the shape that would be right."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec
from service.codecs.inputs import PixelArray
from service.codecs.limits import Limits
from service.errors import InvalidArray

_KINDS = {1: "grayscale", 3: "RGB"}
_RAW = "send them raw, the model does its own scaling"


def check_pixels(array: PixelArray, model: str, spec: InputSpec, limits: Limits) -> NDArray[np.uint8]:
    """Return the array as uint8 [N, height, width, channels].

    Takes whole numbers from 0 to 255 of any numeric dtype; the channel axis may be absent where there is one channel.
    The shape is checked before the number of images: in an array of another shape the first axis is something else.
    Raises InvalidArray or TooLarge.
    """
    values = array.values
    shaped = values[..., np.newaxis] if spec.channels == 1 and values.ndim == 3 else values
    wanted = (spec.height, spec.width, spec.channels)
    if shaped.ndim != 4 or shaped.shape[1:] != wanted or len(shaped) == 0:
        raise InvalidArray(_wrong_shape(values.shape, model, spec))
    limits.check_count(len(shaped))
    if shaped.dtype.kind not in "iuf":
        raise InvalidArray(f"pixels must be numbers from 0 to 255, not {shaped.dtype}")
    pixels = shaped if shaped.dtype == np.uint8 else _to_bytes(shaped)
    if pixels.max() == 1 and not array.is_prepared:
        raise InvalidArray(f"pixels are from 0 to 255; yours are all 0 or 1, as after scaling: {_RAW}")
    return pixels


def format_shape(shape: Sequence[int]) -> str:
    """A shape as clients know it from their own arrays."""
    return f"[{','.join(map(str, shape))}]"


def _to_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    if not np.isfinite(values).all():
        raise InvalidArray("the array contains NaN or infinity: pixels are whole numbers from 0 to 255")
    if values.min() < 0 or values.max() > 255:
        raise InvalidArray(f"pixels are from 0 to 255; yours are from {values.min():g} to {values.max():g}")
    pixels = values.astype(np.uint8)
    if not np.array_equal(pixels, values):
        raise InvalidArray(f"pixels are whole numbers from 0 to 255: {_RAW}")
    return pixels


def _wrong_shape(shape: tuple[int, ...], model: str, spec: InputSpec) -> str:
    size = f"{spec.height}×{spec.width}"
    kind = _KINDS.get(spec.channels, f"{spec.channels}-channel")
    sent = format_shape(shape)
    right = f"[N,{spec.height},{spec.width},{spec.channels}]"
    return (
        f"{model} takes {size} {kind} images; you sent an array of shape {sent}: send {right}, or the image file itself"
    )
