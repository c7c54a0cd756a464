"""Requests to the native routes as clients send them, in the form that Flask's test client takes."""

import json
from typing import Any

import requests

JSON, FORM, BYTES = "application/json", "application/x-www-form-urlencoded", "application/octet-stream"
MULTIPART = "multipart/form-data; boundary=b"

Sent = dict[str, Any]  # what the client's `post` takes


def sent(body: bytes | str, content_type: str | None = None, path: str = "/predict", **headers: str) -> Sent:
    """A body with or without a Content-Type."""
    content = body.encode() if isinstance(body, str) else body
    return {"path": path, "data": content, "content_type": content_type, "headers": headers}


def sent_json(document: object, path: str = "/predict") -> Sent:
    """A JSON document."""
    return sent(json.dumps(document), JSON, path)


def by_requests(path: str = "/predict", **arguments: Any) -> Sent:
    """What the library requests makes of these arguments."""
    prepared = requests.Request("POST", f"http://test{path}", **arguments).prepare()
    assert prepared.body is not None
    return sent(prepared.body, prepared.headers.get("Content-Type"), path)


def part(name: str, content: bytes | str, filename: str | None = None, *more: str) -> bytes:
    """One part of a form with the boundary `b`."""
    file = "" if filename is None else f'; filename="{filename}"'
    head = "\r\n".join(["--b", f'Content-Disposition: form-data; name="{name}"{file}', *more, "", ""])
    return head.encode() + (content.encode() if isinstance(content, str) else content) + b"\r\n"


def form(*parts: bytes, path: str = "/predict") -> Sent:
    """A form of these parts."""
    return sent(b"".join(parts) + b"--b--\r\n", MULTIPART, path)
