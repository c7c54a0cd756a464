"""Versions as clients write them."""

from service.errors import InvalidRequest


def parse_version(text: str | None) -> int | None:
    """A version number, or None where none is named; raises InvalidRequest."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise InvalidRequest(f"a version is a whole number from 1 to 999999999, not {text!r:.40}")
    return int(text)
