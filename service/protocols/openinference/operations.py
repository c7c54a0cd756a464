"""The operations of the Open Inference Protocol, its model repository extension among them, without HTTP."""

from functools import partial

from service.codecs.limits import Limits
from service.errors import DeadlineExceeded, ModelNotFound, NotReady
from service.inference.data_plane import DataPlane, DecodedRequest, InferenceContext
from service.inference.model_version import LoadedVersion
from service.inference.predictor import Predictor
from service.inference.registry import ModelRegistry
from service.lifecycle.model_control import ControlRequest, ModelControl
from service.lifecycle.readiness import Readiness
from service.protocols.common import parse_version
from service.protocols.openinference.metadata import (
    Document,
    describe_config,
    describe_model,
    describe_server,
    describe_state,
    describe_statistics,
)
from service.protocols.openinference.request import (
    InferRequest,
    Output,
    check_load_request,
    parse_header_length,
    parse_index_request,
    parse_request,
)
from service.protocols.openinference.response import InferResponse, choose_output, encode_response
from service.protocols.openinference.tensors import read_inputs, read_raw
from service.telemetry.request_state import RequestState
from service.telemetry.statistics import Statistics

RAW = "0"  # the length of the JSON before a tensor that comes alone


class OpenInference:
    """Every operation raises a RequestError; `version` is as the client wrote it, None if it did not."""

    def __init__(
        self,
        registry: ModelRegistry,
        data_plane: DataPlane,
        statistics: Statistics,
        readiness: Readiness,
        *,
        limits: Limits,
        instances: int,
    ) -> None:
        """`instances` is the number of worker processes, which the model configuration states."""
        self._registry = registry
        self._data_plane = data_plane
        self._statistics = statistics
        self._readiness = readiness
        self._limits = limits
        self._instances = instances

    # Inference

    def select(self, name: str, version: str | None, state: RequestState) -> InferenceContext:
        """Select the version that answers, before the body is read."""
        try:
            choice = self._registry.choose(name, parse_version(version, least=0), state.bucket)
        except ModelNotFound as error:
            raise _unknown_model(name, version, error) from error
        return self._data_plane.begin(choice, state)

    def infer(self, context: InferenceContext, content: bytes, header_length: str | None) -> InferResponse:
        """The response to a body: JSON, tensors behind JSON, or, where `header_length` is "0", one tensor alone."""
        decode = _decode_raw if header_length == RAW else partial(_decode_request, header_length, self._limits)
        return self._data_plane.infer(context, decode(context, content))

    # Models

    def model(self, name: str, version: str | None) -> Document:
        """Names, types and shapes of a model's tensors."""
        return describe_model(self._predictor(name, version).metadata, self._registry.loaded_versions(name))

    def config(self, name: str, version: str | None) -> Document:
        """A model's configuration."""
        metadata, versions = self._predictor(name, version).metadata, self._registry.loaded_versions(name)
        return describe_config(metadata, versions, self._limits.max_images, self._instances)

    def model_ready(self, name: str, version: str | None) -> Document:
        """That the version, or any where none is named, is loaded; raises NotReady otherwise."""
        number = parse_version(version, least=0)
        try:
            self._registry.versions(name)
        except ModelNotFound as error:
            raise _unknown_model(name, None, error) from error
        loaded = self._registry.loaded_versions(name)
        if not loaded or number not in (None, *loaded):
            raise NotReady(f"Model version not ready: GET /models/{name} lists the versions of {name} and their states")
        return {"name": name, "ready": True}

    def names(self) -> Document:
        """The models, in the form of KServe."""
        return {"models": self._registry.names()}

    def statistics(self, name: str | None, version: str | None) -> Document:
        """The statistics of the versions that are loaded: of all, of one model's, or of one."""
        number = None
        if name is not None:
            predictor = self._predictor(name, version)
            number = None if version is None else predictor.metadata.version
        loaded = [each for each in self._registry if isinstance(each, LoadedVersion) and name in (None, each.name)]
        chosen = [each for each in loaded if number in (None, each.version)]
        read = self._statistics.read
        rows = [describe_statistics(each.name, each.version, read(each.name, each.version)) for each in chosen]
        return {"model_stats": rows}

    # Server

    def server(self, software: str) -> Document:
        """What the server is and can do; `software` is its version."""
        return describe_server(software)

    def server_ready(self) -> Document:
        """That the server is ready; raises NotReady otherwise, in Triton's words where it shuts down."""
        if self._readiness.is_shutting_down:
            raise NotReady("Server exiting")
        problems = self._readiness.problems()
        if problems:
            raise NotReady(f"{'; '.join(problems)}: GET /readyz says more")
        return {"ready": True, "live": True}

    def _predictor(self, name: str, version: str | None) -> Predictor:
        try:
            return self._registry.get(name, parse_version(version, least=0))
        except ModelNotFound as error:
            raise _unknown_model(name, version, error) from error


class OpenInferenceRepository:
    """The model repository extension. A load or unload is requested first, and checked when it is over.

    Every operation raises a RequestError.
    """

    def __init__(self, registry: ModelRegistry, control: ModelControl) -> None:
        self._registry = registry
        self._control = control

    def index(self, content: bytes) -> list[Document]:
        """Every version and its state; the body may ask for those that are ready only."""
        only_ready = parse_index_request(content)
        return [describe_state(each) for each in self._registry if isinstance(each, LoadedVersion) or not only_ready]

    def load(self, name: str, content: bytes) -> ControlRequest:
        """Request that a model be loaded; the body must not bring a configuration or files of its own."""
        check_load_request(content)
        return self._control.load(name)

    def unload(self, name: str, content: bytes) -> ControlRequest:
        """Request that a model be unloaded."""
        check_load_request(content)
        return self._control.unload(name)

    def is_over(self, request: ControlRequest) -> bool:
        """Whether `check` may be called: the request is in effect, or its client waits no longer."""
        return self._control.is_over(request)

    def check(self, request: ControlRequest) -> None:
        """Raise what went wrong with a request."""
        try:
            self._control.check(request)
        except NotReady as error:
            raise NotReady(f"{error}: POST /v2/repository/index lists what is served") from error


def _unknown_model(name: str, version: str | None, error: ModelNotFound) -> ModelNotFound:
    """The same error in the words that clients of this protocol know."""
    model = repr(name) if version is None else f"{name!r} version {version}"
    return ModelNotFound(f"Request for unknown model: {model} is not found: {error}")


def _decode_raw(context: InferenceContext, content: bytes) -> DecodedRequest[InferResponse]:
    output = Output(context.metadata.output.name, binary=True, classes=None)
    encode = partial(encode_response, None, output, context.metadata)
    return DecodedRequest(read_raw(content, context.metadata), encode)


def _decode_request(
    header_length: str | None, limits: Limits, context: InferenceContext, content: bytes
) -> DecodedRequest[InferResponse]:
    numbers = limits.max_images * context.image_numbers
    request = parse_request(content, parse_header_length(header_length, len(content)), numbers)
    _check_deadline(request, context.state.queue_seconds)
    output = choose_output(request, context.metadata)
    encode = partial(encode_response, request.id, output, context.metadata)
    return DecodedRequest(read_inputs(request.inputs, context.metadata, limits), encode)


def _check_deadline(request: InferRequest, queue_seconds: float) -> None:
    if request.timeout is not None and queue_seconds > request.timeout:
        waited = f"{queue_seconds * 1e6:.0f} microseconds in the queue"
        raise DeadlineExceeded(f"waited {waited}, and the request's timeout is {request.timeout * 1e6:.0f}")
