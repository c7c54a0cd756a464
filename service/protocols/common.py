"""Versions as clients write them."""

from modelrepo.naming import LAST_VERSION
from service.errors import InvalidRequest


def parse_version(text: str | None) -> int | None:
    """A version number, or None where none is named; raises InvalidRequest."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LAST_VERSION)) and int(text) > 0):
        raise InvalidRequest(f"a version is a whole number from 1 to {LAST_VERSION}, not {text!r:.40}")
    return int(text)
