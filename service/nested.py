"""Pixels as nested lists of JSON numbers."""

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from service.errors import InvalidArray, RaggedArray

FOREIGN = (b'"', b"u", b"s")  # what shows texts, true and null, and false: no number has one of them


def read_nested(value: Any, name: str, form: str = "[N,height,width,channels]") -> NDArray[np.float64]:
    """The array that nested lists hold, float64; raises RaggedArray, or InvalidArray where they hold no numbers.

    `name` and `form` are what an error message calls the value and the shape that it should have.

    NumPy would take "5" for 5 and true for 1, and looking at each value from Python costs more than the rest; so the
    value is written as JSON once more, which shows at a glance what is in it.
    """
    try:
        text = orjson.dumps(value)
        if any(mark in text for mark in FOREIGN):
            raise InvalidArray(f"{name} must hold nothing but numbers from 0 to 255, the pixels")
        return np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise RaggedArray(f"{name} must be nested arrays of equal lengths, {form}") from error
