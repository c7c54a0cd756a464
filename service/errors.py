"""What can go wrong with a request, one class a fact; each knows its HTTP status and its stable code word."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any


class RequestError(Exception):
    """A failure that the client is told about: `str(error)` is the sentence that says what to do."""

    status = HTTPStatus.BAD_REQUEST
    code = "bad_request"
    retry_after: int | None = None  # seconds, sent as Retry-After
    headers: Mapping[str, str] = MappingProxyType({})  # that the answer has beside those of every error

    def __init__(self, sentence: str, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(sentence)
        self.members = members or {}  # that the answer has beside those of every error


class InvalidRequest(RequestError):
    """The request as a whole cannot be understood: its body's form, a header, a query value."""

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
    """A Content-Type that no reader here understands."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_type"


class UnsupportedEncoding(UnsupportedType):
    """A Content-Encoding that cannot be undone."""


class Unsupported(RequestError):
    """A part of a protocol that this service does not have."""

    status = HTTPStatus.NOT_IMPLEMENTED
    code = "unsupported"


class NotReady(RequestError):
    """A model, or the server, does not answer predictions now."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "not_ready"
    retry_after = 1


class ModelUnavailable(NotReady):
    """A model is in the repository, and none of its versions can be served now."""

    def __init__(self, sentence: str, model: str) -> None:
        super().__init__(sentence)
        self.model = model


class RepositoryUnreadable(NotReady):
    """It is not known whether the repository has the model: it, or the model's folder, cannot be read."""


class Unauthorized(RequestError):
    """No key, or none that is known."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthorized"
    headers = MappingProxyType({"WWW-Authenticate": 'Bearer realm="convserve"'})  # RFC 6750, section 3


class LoadFailed(RequestError):
    """A model was to be loaded and was not, or not all of it."""

    code = "load_failed"


class LoadingNotAllowed(RequestError):
    """Models cannot be loaded or unloaded over HTTP."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "loading_not_allowed"


class Overloaded(RequestError):
    """Too much is under way already; the request was not looked at, so sending it again is safe."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "overloaded"
    retry_after = 1


class QueueFull(Overloaded):
    """As many requests wait as may; those who watch the service are answered all the same."""


class DeadlineExceeded(RequestError):
    """The request waited longer than its deadline; nobody waits for the answer, so none is computed."""

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
