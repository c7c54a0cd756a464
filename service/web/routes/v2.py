"""/v2: the Open Inference Protocol over HTTP (kserve/open-inference-protocol, and Triton's extensions of it)."""

from collections.abc import Callable
from functools import partial
from typing import NoReturn

from flask import Blueprint, Response, request

from service import __version__
from service.environ import DEFERRED, REQUEST_STATE, RESUMED, Deferred
from service.errors import InvalidRequest, LoadingNotAllowed, Unsupported, UnsupportedEncoding
from service.lifecycle.model_control import ControlRequest
from service.protocols.openinference.operations import OpenInference, OpenInferenceRepository
from service.protocols.openinference.response import InferResponse
from service.web.auth import AdminKeys, require_key
from service.web.request_body import read_content
from service.web.responses import compress, json_response, raw_json_response

HEALTH_PATHS = ("/v2/health/live", "/v2/health/ready")
CONTROL_PATHS = ("/v2/repository/models/<name>/load", "/v2/repository/models/<name>/unload")
HEADER_LENGTH = "Inference-Header-Content-Length"


def v2_routes(protocol: OpenInference, repository: OpenInferenceRepository, keys: AdminKeys | None) -> Blueprint:
    """All routes of the protocol. The Content-Type of a request is ignored: Triton's client sends none.

    `keys` are the admin keys, None where no model may be loaded or unloaded.
    """
    routes = Blueprint("v2", __name__, url_prefix="/v2")
    _add_server(routes, protocol)
    _add_inference(routes, protocol)
    _add_models(routes, protocol)
    _add_repository(routes, repository, keys)
    _add_shared_memory(routes)
    return routes


def _add_server(routes: Blueprint, protocol: OpenInference) -> None:
    @routes.get("/health/live")
    def live() -> Response:
        return json_response({"live": True})

    @routes.get("/health/ready")
    def ready() -> Response:
        return json_response(protocol.server_ready())

    @routes.get("")
    def server() -> Response:
        return json_response(protocol.server(__version__))


def _add_inference(routes: Blueprint, protocol: OpenInference) -> None:
    @routes.post("/models/<name>/infer")
    @routes.post("/models/<name>/versions/<version>/infer")
    def infer(name: str, version: str | None = None) -> Response:
        context = protocol.select(name, version, request.environ[REQUEST_STATE])
        return _send(protocol.infer(context, _read_body(), request.headers.get(HEADER_LENGTH)))


def _add_models(routes: Blueprint, protocol: OpenInference) -> None:
    @routes.get("/models")
    def models() -> Response:
        return json_response(protocol.names())

    @routes.get("/models/<name>")
    @routes.get("/models/<name>/versions/<version>")
    def model(name: str, version: str | None = None) -> Response:
        return json_response(protocol.model(name, version))

    @routes.get("/models/<name>/ready")
    @routes.get("/models/<name>/versions/<version>/ready")
    def model_ready(name: str, version: str | None = None) -> Response:
        return json_response(protocol.model_ready(name, version))

    @routes.get("/models/<name>/config")
    @routes.get("/models/<name>/versions/<version>/config")
    def config(name: str, version: str | None = None) -> Response:
        return json_response(protocol.config(name, version))

    @routes.get("/models/stats")
    @routes.get("/models/<name>/stats")
    @routes.get("/models/<name>/versions/<version>/stats")
    def statistics(name: str | None = None, version: str | None = None) -> Response:
        return json_response(protocol.statistics(name, version))


def _add_repository(routes: Blueprint, models: OpenInferenceRepository, keys: AdminKeys | None) -> None:
    def change(operation: Callable[[str, bytes], ControlRequest], name: str) -> Response:
        """Request a change of what is served; the response is sent when all workers have carried it out."""
        require_key(request, keys)
        if RESUMED not in request.environ:  # another WSGI server, which runs no reloader
            raise LoadingNotAllowed(
                "this server keeps the models of its start: run python -m service to load and unload"
            )
        resumed: Deferred | None = request.environ.get(RESUMED)
        if resumed:
            models.check(resumed.subject)
        else:
            control = operation(name, _read_body())
            request.environ[DEFERRED] = Deferred(control, partial(models.is_over, control))
        return raw_json_response(b"")

    @routes.post("/repository/index")
    def index() -> Response:
        return json_response(models.index(_read_body()))

    @routes.post("/repository/models/<name>/load")
    def load(name: str) -> Response:
        return change(models.load, name)

    @routes.post("/repository/models/<name>/unload")
    def unload(name: str) -> Response:
        return change(models.unload, name)

    @routes.post("/repository/<repository>/index")
    @routes.post("/repository/<repository>/models/<name>/load")
    @routes.post("/repository/<repository>/models/<name>/unload")
    def named(repository: str, **_: str) -> NoReturn:
        raise Unsupported(f"there is one repository: leave the name {repository!r} out of the path")


def _add_shared_memory(routes: Blueprint) -> None:
    """There is none; clients that ask for its status or unregister regions when they start get what they expect."""

    def status(**_: str) -> Response:
        return json_response([])

    def unregister(**_: str) -> Response:
        return raw_json_response(b"")

    def register(**_: str) -> NoReturn:
        raise InvalidRequest("this server has no shared memory: send tensors in the request, as binary data")

    for kind in ("systemsharedmemory", "cudasharedmemory"):
        for part in (kind, f"{kind}/region/<region>"):
            routes.get(f"/{part}/status")(status)
            routes.post(f"/{part}/unregister")(unregister)
        routes.post(f"/{kind}/region/<region>/register")(register)


def _read_body() -> bytes:
    try:
        return read_content(request)
    except UnsupportedEncoding as error:
        raise Unsupported(str(error)) from error  # the protocol's status for it is 501


def _send(encoded: InferResponse) -> Response:
    """The response, compressed if the client accepts that; its header gives the length before compression."""
    response = raw_json_response(encoded.content)
    if encoded.header_length is not None:
        response.content_type = "application/octet-stream"
        response.headers[HEADER_LENGTH] = str(encoded.header_length)
    return compress(response, request)
