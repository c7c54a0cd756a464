"""Types of command-line arguments: each makes a value of a text, or refuses it and says what would be right."""

import math
from argparse import ArgumentTypeError

from modelrepo.repository import LAST_VERSION, NAME_RULE, is_name


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


def version_number(text: str) -> int:
    """A version that clients can ask for."""
    value = positive(text)
    if value > LAST_VERSION:
        raise ArgumentTypeError(f"must be at most {LAST_VERSION}, the last that a repository can have")
    return value


def model_name(text: str) -> str:
    """What a model can be called."""
    if not is_name(text):
        raise ArgumentTypeError(NAME_RULE)
    return text


def number(text: str) -> float:
    """A finite number, or a fraction such as 1/255."""
    above, _, below = text.partition("/")
    try:
        value = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        value = math.nan
    if not math.isfinite(value):
        raise ArgumentTypeError(f"must be a number or a fraction such as 1/255, not {text!r}")
    return value


def probability(text: str) -> float:
    """A number, or a fraction, that something can be less probable than."""
    value = number(text)
    if not 0 < value <= 1:
        raise ArgumentTypeError(f"must be above 0 and at most 1, such as 0.8, not {text!r}")
    return value


def positive_number(text: str) -> float:
    """A number above 0, or such a fraction."""
    value = number(text)
    if value <= 0:
        raise ArgumentTypeError(f"must be above 0, such as 0.03, not {text!r}")
    return value


def numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas between them."""
    return tuple(map(number, text.split(",")))


def image_size(text: str) -> tuple[int, int]:
    """Height and width, as in 224x224."""
    height, _, width = text.lower().replace("×", "x").partition("x")
    if not (height.isascii() and height.isdigit() and width.isascii() and width.isdigit() and int(height) * int(width)):
        raise ArgumentTypeError(f"must be HEIGHTxWIDTH, such as 224x224, not {text!r}")
    return int(height), int(width)
