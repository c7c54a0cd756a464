"""Errors in requests, one class for each kind, with its HTTP status and its stable code word."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

MAX_SENTENCE = 4096  # characters: an error must not send back whatever text a client sent
MAX_TEXT = 500  # characters of what a library says
_FOLDERS = re.compile(r"(?<![\w.:/])/(?:[^/\s'\"]+/)*(?=[^/\s])")  # of an absolute path
_SOURCE = re.compile(r"\S+\.(?:cc|cpp|h|hpp|py|pyx|rs):\d+\s*")  # a place in a library's source code

# What a library has left of its own format where it could not fill it in, such as "%.*s" (not "100%", "%2F" or "%d2").
_CONVERSION = re.compile(
    r"""(?<![\w%])(['"]?)%[-+#0]*[*\d]*(?:\.[*\d]*)?(?:hh?|ll?|[jztL])?[diouxXeEfgGacspR]\1(?!\w)"""
)


def public_text(error: BaseException) -> str:
    """What an error of the system or of a library says, for clients: no folders of this machine, no source code.

    One line. Such errors name files by absolute paths; the last part of each stays. An ellipsis stands for what the
    library has not filled in.
    """
    text = " ".join(str(error).split())
    for file in (getattr(error, "filename", None), getattr(error, "filename2", None)):
        if file:
            text = text.replace(str(file), str(file).rpartition("/")[2])
    text = _CONVERSION.sub("…", _SOURCE.sub("", _FOLDERS.sub("", text)))
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"


class RequestError(Exception):
    """An error that becomes a response: `str(error)` is the sentence in it, which says what to do."""

    status = HTTPStatus.BAD_REQUEST
    code = "bad_request"
    retry_after: int | None = None  # seconds, sent as Retry-After
    headers: Mapping[str, str] = MappingProxyType({})  # of the response, beside those of every error

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence if len(sentence) <= MAX_SENTENCE else f"{sentence[:MAX_SENTENCE]}…")


class InvalidRequest(RequestError):
    """The form of the body, a header or a query value is wrong."""

    code = "invalid_request"


class InvalidImage(RequestError):
    """The bytes are not an image that can be decoded."""

    code = "invalid_image"


class InvalidArray(RequestError):
    """Pixel arrays of a wrong shape, dtype or value."""

    code = "invalid_array"


class RaggedArray(InvalidArray):
    """Nested lists that are not all of one length, or of one depth."""


class ModelNotFound(RequestError):
    """No such model, or no such version of it, is loaded."""

    status = HTTPStatus.NOT_FOUND
    code = "model_not_found"


class TooLarge(RequestError):
    """More bytes, pixels or images than the limits allow."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too_large"


class UnsupportedType(RequestError):
    """A Content-Type that is not read here."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_type"


class UnsupportedEncoding(UnsupportedType):
    """A Content-Encoding that cannot be decoded."""


class Unsupported(RequestError):
    """A part of a protocol that this service does not have."""

    status = HTTPStatus.NOT_IMPLEMENTED
    code = "unsupported"


class NotReady(RequestError):
    """A model, or the server, serves no predictions now."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "not_ready"
    retry_after = 1


class ModelUnavailable(NotReady):
    """A model is in the repository, and none of its versions can be served now."""

    def __init__(self, sentence: str, model: str) -> None:
        super().__init__(sentence)
        self.model = model


class RepositoryUnreadable(NotReady):
    """The repository, or the model's folder, cannot be read, so it is not known whether the model exists."""


class Unauthorized(RequestError):
    """The request has no admin key, or a wrong one."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthorized"
    headers = MappingProxyType({"WWW-Authenticate": 'Bearer realm="convserve"'})  # RFC 6750, section 3


class LoadFailed(RequestError):
    """A model could not be loaded, or not all of its versions."""

    code = "load_failed"


class LoadingNotAllowed(RequestError):
    """Models cannot be loaded or unloaded over HTTP."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "loading_not_allowed"


class Overloaded(RequestError):
    """The server has too much to do. The request was not processed, so sending it again is safe."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "overloaded"
    retry_after = 1


class QueueFull(Overloaded):
    """The queue of requests is full. Probes and the scrape of metrics are served all the same."""


class OutOfMemory(Overloaded):
    """There was not enough memory for the request, be it for what it holds or for what others take."""


class DeadlineExceeded(RequestError):
    """The request waited longer than its deadline. The client has given up by then, so nothing is computed."""

    status = HTTPStatus.GATEWAY_TIMEOUT
    code = "deadline_exceeded"


class MalformedRequest(RequestError):
    """Bytes that are not HTTP/1.1."""

    code = "malformed_request"


class RequestTimeout(RequestError):
    """The client took too long to send its request."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = "request_timeout"


class UriTooLong(RequestError):
    """The request line is longer than any route needs."""

    status = HTTPStatus.REQUEST_URI_TOO_LONG
    code = "uri_too_long"


class HeadersTooLarge(RequestError):
    """More header fields, or longer ones, than are read."""

    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    code = "headers_too_large"
