"""Who may load and unload models."""

from flask import Request

from service.errors import LoadingNotAllowed, Unauthorized
from service.keys import AdminKeys

OFF = (
    "explicit model load / unload is not allowed: start the service with CONVSERVE_ADMIN_KEYS, a file of the SHA-256 of"
    " each key; without it models come and go with their bundles in the repository"
)


def require_key(request: Request, keys: AdminKeys | None) -> None:
    """Raise LoadingNotAllowed where there are no keys, Unauthorized unless the request bears one (RFC 6750)."""
    if keys is None:
        raise LoadingNotAllowed(OFF)
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not keys.admit(key.strip()):
        raise Unauthorized("this takes an admin key: send the header Authorization: Bearer <key>")
