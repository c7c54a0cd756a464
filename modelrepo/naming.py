"""The one rule for the names of models and versions: they are folder names, URL segments and metric labels alike."""

import re

from modelrepo.errors import InvalidMetadata

LAST_VERSION = 10**15 - 1  # a time as 20260101123000 fits, and every JSON reader takes such a number exactly

MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
VERSION = re.compile(r"[1-9][0-9]{0,14}")  # from 1 to LAST_VERSION, as Python writes the number


def is_name(text: str) -> bool:
    """Whether a model can be called this."""
    return MODEL_NAME.fullmatch(text) is not None


def check_name(text: str) -> str:
    """The name itself, or InvalidMetadata."""
    if not is_name(text):
        raise InvalidMetadata("name", f"{text!r} must be 1 to 64 of a-z, 0-9, - and _, the first a letter or digit")
    return text
