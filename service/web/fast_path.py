"""The commonest request of all, one image file as the body, answered before Flask is asked.

Flask's routing, contexts and responses cost as much again as decoding and running a small network. The shortcut takes
only what succeeds: whatever it does not understand, and every error, is left to Flask, which answers as if the shortcut
were not there. docs/performance.md has the figures.
"""

import io
import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from service.codecs.inputs import EncodedImage, EncodedImages
from service.environ import ERROR, REQUEST_STATE
from service.protocols.native import NativeProtocol
from service.settings import Settings

PREDICT_RULES = ("/predict", "/models/<name>/predict", "/models/<name>/versions/<version>/predict")
_PATH = re.compile(r"/(?:predict|models/([a-z0-9_-]+)(?:/versions/([0-9]+))?/predict)")


class FastPath:
    """A WSGI application in front of another one (PEP 3333)."""

    def __init__(self, application: WSGIApplication, native: NativeProtocol, settings: Settings) -> None:
        self._application = application
        self._native = native
        self._max_body_bytes = settings.max_body_bytes
        self._request_timeout = settings.request_timeout

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a plain prediction; leave everything else, and every failure, to the application."""
        answer = self._answer(environ) if self._is_plain(environ) else None
        if answer is None:
            return self._application(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]

    def _is_plain(self, environ: WSGIEnvironment) -> bool:
        return (
            environ["REQUEST_METHOD"] == "POST"
            and environ.get("CONTENT_TYPE", "").startswith("image/")
            and not environ.get("QUERY_STRING")
            and not environ.get("HTTP_CONTENT_ENCODING")
            and environ.get(ERROR) is None
            and environ[REQUEST_STATE].queue_seconds <= self._request_timeout
            and 0 < int(environ.get("CONTENT_LENGTH") or 0) <= self._max_body_bytes
        )

    def _answer(self, environ: WSGIEnvironment) -> bytes | None:
        path = _PATH.fullmatch(environ["PATH_INFO"])
        if path is None:
            return None
        content = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        state = environ[REQUEST_STATE]
        inputs = EncodedImages((EncodedImage(content, "the image"),))
        try:
            answer = self._native.predict(self._native.select(path[1], path[2], state), inputs, None)
        except Exception:  # Flask meets it again, and has the words for it
            environ["wsgi.input"] = io.BytesIO(content)
            return None
        state.route = PREDICT_RULES[path.lastindex or 0]
        return answer
