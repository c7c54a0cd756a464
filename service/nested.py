"""Pixels as nested lists of JSON numbers."""

from typing import Any

import numpy as np
import orjson

from service.errors import InvalidArray
from service.inputs import PixelArray

FOREIGN = (b'"', b"u", b"s")  # numbers have neither quotes nor a letter of true, false and null but for 1e5's e


def read_nested(value: Any, name: str) -> PixelArray:
    """The array that nested lists hold, float64; raises InvalidArray where they are ragged or hold no numbers.

    NumPy would take "5" for 5 and true for 1, and looking at each value from Python costs more than the rest; so the
    value is written as JSON once more, which shows at a glance what is in it.
    """
    try:
        text = orjson.dumps(value)
        if any(mark in text for mark in FOREIGN):
            raise InvalidArray(f"{name} must hold nothing but numbers from 0 to 255, the pixels")
        return PixelArray(np.asarray(value, np.float64))
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidArray(f"{name} must be nested arrays of equal lengths, [N,height,width,channels]") from error
