"""Admin keys: who may load and unload models. Only the SHA-256 of each key is kept, on disk and in memory.

A key is to be long and random (`openssl rand -hex 32`), so that a plain hash gives nothing away.
"""

import hashlib
import hmac
import re
from pathlib import Path

from flask import Request

from service.errors import LoadingNotAllowed, Unauthorized

LOADING_IS_OFF = (
    "explicit model load / unload is not allowed: start the service with CONVSERVE_ADMIN_KEYS, a file of the SHA-256 of"
    " each key; without it models come and go with their bundles in the repository"
)
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_EMPTY_KEY = hashlib.sha256(b"").digest()


class InvalidKeys(Exception):
    """The file of keys cannot be used; the sentence says why."""


class AdminKeys:
    """The SHA-256 digests of the admin keys."""

    def __init__(self, digests: list[bytes]) -> None:
        self._digests = digests

    def accepts(self, key: str) -> bool:
        """Whether this is one of the keys; the time it takes does not depend on how much of it is right."""
        digest = hashlib.sha256(key.encode()).digest()
        return any([hmac.compare_digest(digest, known) for known in self._digests])  # noqa: C419 - all, every time


def require_key(request: Request, keys: AdminKeys | None) -> None:
    """Raise LoadingNotAllowed where there are no keys, Unauthorized unless the request bears one (RFC 6750)."""
    if keys is None:
        raise LoadingNotAllowed(LOADING_IS_OFF)
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not keys.accepts(key.strip()):
        raise Unauthorized("this takes an admin key: send the header Authorization: Bearer <key>")


def read_keys(file: Path) -> AdminKeys:
    """Read the SHA-256 of each key in hexadecimal, one a line, empty lines and `#` comments aside.

    Raises InvalidKeys.
    """
    try:
        lines = [line.partition("#")[0].strip() for line in file.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidKeys(f"the admin keys in {file} cannot be read: {error}") from error
    digests = [line for line in lines if line]
    wrong = [line for line in digests if not _DIGEST.fullmatch(line)]
    if wrong or not digests:
        raise InvalidKeys(f"{file} must hold the SHA-256 of each admin key in hexadecimal, one a line")
    known = [bytes.fromhex(line) for line in digests]
    if _EMPTY_KEY in known:
        raise InvalidKeys(f"{file} holds the SHA-256 of an empty text, which would admit everybody: make a new key")
    return AdminKeys(known)
