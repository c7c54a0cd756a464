"""The most frequent request, one image file as the body, processed without Flask.

Flask's routing, contexts and responses cost as much again as decoding an image and running a small network. The fast
path responds to what succeeds. It hands an error to Flask, whose error handler writes the response, and leaves every
other request to Flask as it is. docs/performance.md has the figures.
"""

import io
import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from modelrepo.repository import MODEL_NAME
from service.environ import ERROR, REQUEST_STATE
from service.protocols.native import NativeProtocol
from service.settings import Settings
from service.web.request_body import read_image

PREDICT_RULES = ("/predict", "/models/<name>/predict", "/models/<name>/versions/<version>/predict")
_PATH = re.compile(rf"/(?:predict|models/({MODEL_NAME.pattern})(?:/versions/([0-9]+))?/predict)")
_PARAMETER = re.compile(r"(top_k|model|version)=([a-z0-9_-]+)")
_QUERY = re.compile(rf"{_PARAMETER.pattern}(?:&{_PARAMETER.pattern})*")
_OTHER_BODIES = ("multipart/", "application/json", "application/x-npy")  # hardly ever an image, so left to Flask unread


class FastPath:
    """A WSGI application in front of another one (PEP 3333)."""

    def __init__(self, application: WSGIApplication, native: NativeProtocol, settings: Settings) -> None:
        self._application = application
        self._native = native
        self._max_body_bytes = settings.max_body_bytes
        self._request_timeout = settings.request_timeout

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Respond to the prediction of one image; leave errors and all other requests to the application."""
        response = self._predict(environ) if self._may_be_image(environ) else None
        if response is None:
            return self._application(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(response)))])
        return [response]

    def _may_be_image(self, environ: WSGIEnvironment) -> bool:
        return (
            environ["REQUEST_METHOD"] == "POST"
            and not environ.get("CONTENT_TYPE", "").startswith(_OTHER_BODIES)
            and not environ.get("HTTP_CONTENT_ENCODING")
            and environ.get(ERROR) is None
            and environ[REQUEST_STATE].queue_seconds <= self._request_timeout
            and 0 < int(environ.get("CONTENT_LENGTH") or 0) <= self._max_body_bytes
        )

    def _predict(self, environ: WSGIEnvironment) -> bytes | None:
        """The response, or None where Flask is to respond; an error is then in the environ."""
        path, query = _PATH.fullmatch(environ["PATH_INFO"]), environ.get("QUERY_STRING", "")
        if path is None or (query and not _QUERY.fullmatch(query)):
            return None
        in_query = _PARAMETER.findall(query) if query else ()
        parameters = dict(in_query)
        name, version = parameters.get("model", path[1]), parameters.get("version", path[2])
        if in_query and (len(parameters) < len(in_query) or (path[1] or name, path[2] or version) != (name, version)):
            return None  # Flask says that they contradict each other
        content = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        image = read_image(content)
        if image is None:
            environ["wsgi.input"] = io.BytesIO(content)  # Flask looks at it for the first time
            return None
        state = environ[REQUEST_STATE]
        try:
            context = self._native.select(name, version, state)
            response = self._native.predict(context, image, parameters.get("top_k"))
        except Exception as error:  # whatever it is, Flask's error handler writes the response
            environ[ERROR] = error
            return None
        state.route = PREDICT_RULES[path.lastindex or 0]
        return response
