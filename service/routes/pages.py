"""Pages for people: the description of the API, and a place to try the models; JSON for programs that knock at `/`."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from service.openapi import describe
from service.registry import ModelRegistry
from service.routes.answers import json_answer
from service.settings import Settings

FOLDER = Path(__file__).parents[1] / "pages"
SKELETONS = ("openapi.json", "openapi-v1.json", "openapi-v2.json")  # of the OpenAPI document, one a URL prefix
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS = {
    # Everything comes from here; pictures also from the visitor's own disk (blob:). Nothing is inline, nothing framed.
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # keep it, but ask with its ETag whether it is still right
}


@dataclass(frozen=True)
class PageFile:
    """A file as it is sent."""

    content: bytes
    content_type: str
    etag: str


def page_routes(registry: ModelRegistry, settings: Settings) -> Blueprint:
    """The pages, read from disk once, and the OpenAPI document, made anew as models come and go."""
    routes = Blueprint("pages", __name__)
    files = {path.name: _read(path) for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}
    skeletons = [(FOLDER / name).read_bytes() for name in SKELETONS]

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return json_answer(describe(skeletons, registry, settings), headers={"Cache-Control": "no-cache"})

    @routes.get("/docs")
    def docs() -> Response:
        return _send(files["docs.html"])

    @routes.get("/")
    def root() -> Response:
        response = _send(files["index.html"]) if _is_browser() else _alive()
        response.vary.add("Accept")
        return response

    @routes.get("/pages/<file>")
    def static(file: str) -> Response:
        if file not in files:
            raise NotFound
        return _send(files[file])

    return routes


def _read(path: Path) -> PageFile:
    content = path.read_bytes()
    return PageFile(content, TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:32])


def _send(file: PageFile) -> Response:
    response = Response(file.content, headers=HEADERS, content_type=file.content_type)
    response.set_etag(file.etag)
    response.make_conditional(request)
    return response


def _is_browser() -> bool:
    """Browsers ask for text/html by name; clients of KServe's v1 protocol, like curl, for anything."""
    return any(kind == "text/html" and quality > 0 for kind, quality in request.accept_mimetypes)


def _alive() -> Response:
    return json_answer({"status": "alive", "name": "convserve", "docs": "/docs"})
