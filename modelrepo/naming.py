"""The one rule for model names: they are folder names, URL segments and metric labels alike."""

import re

from modelrepo.errors import InvalidMetadata

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def is_name(text: str) -> bool:
    """Whether a model can be called this."""
    return _NAME.fullmatch(text) is not None


def check_name(text: str) -> str:
    """The name itself, or InvalidMetadata."""
    if not is_name(text):
        raise InvalidMetadata("name", f"{text!r} must be 1 to 64 of a-z, 0-9, - and _, the first a letter or digit")
    return text
