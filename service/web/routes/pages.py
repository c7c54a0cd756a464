"""Pages in a browser: the description of the API, and one to try the models; `/` is JSON for other programs."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from service.inference.registry import ModelRegistry
from service.settings import Settings
from service.web.openapi.document import describe
from service.web.responses import json_response

WEB = Path(__file__).parents[1]
PAGES = (WEB / "templates", WEB / "static")  # HTML documents, and what they load
SKELETONS = [WEB / "openapi" / f"{name}.json" for name in ("native", "v1", "v2", "torchserve")]
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS = {
    # Everything comes from this server; images also from the visitor's own disk (blob:). Nothing is inline or framed.
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # a cache keeps it, but asks with its ETag whether it is still current
}


@dataclass(frozen=True)
class PageFile:
    """A file of the pages as it is sent, read once."""

    content: bytes
    content_type: str
    etag: str


def page_routes(registry: ModelRegistry, settings: Settings) -> Blueprint:
    """The pages, read from disk once, and the OpenAPI document, made for each request, since models come and go."""
    routes = Blueprint("pages", __name__)
    files = {path.name: _read(path) for folder in PAGES for path in sorted(folder.iterdir()) if path.suffix in TYPES}
    skeletons = [path.read_bytes() for path in SKELETONS]

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return json_response(describe(skeletons, registry, settings), headers={"Cache-Control": "no-cache"})

    @routes.get("/docs")
    def docs() -> Response:
        return _send(files["docs.html"])

    @routes.get("/")
    def root() -> Response:
        response = _send(files["index.html"]) if _is_browser() else _status()
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


def _status() -> Response:
    return json_response({"status": "alive", "name": "convserve", "docs": "/docs"})
