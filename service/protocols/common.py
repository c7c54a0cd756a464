"""Whole numbers as clients write them in paths, queries and headers."""

from modelrepo.repository import LAST_VERSION
from service.errors import InvalidRequest

MAX_DIGITS = len(str(LAST_VERSION))


def parse_count(text: str, least: int, most: int) -> int | None:
    """The whole number from `least` to `most` that ASCII digits write; None for any other text.

    Text longer than 15 digits is never converted: Python takes quadratic time for it.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        return None
    return int(text) if least <= int(text) <= most else None


def parse_version(text: str | None, least: int = 1) -> int | None:
    """A version's number, or None where none is named; raises InvalidRequest.

    With 0 as the `least` number, which clients of OpenVINO Model Server send for the default version, 0 names none.
    """
    if text is None:
        return None
    version = parse_count(text, least, LAST_VERSION)
    if version is None:
        raise InvalidRequest(f"a version is a whole number from 1 to {LAST_VERSION}, not {text!r:.40}")
    return version or None
