"""The operations of the Open Inference Protocol, its model repository extension among them, without HTTP."""

from functools import partial

from service.codecs.limits import Limits
from service.errors import DeadlineExceeded, ModelNotFound, NotReady
from service.inference.data_plane import DataPlane, DecodedRequest, InferenceContext
from service.inference.model_version import LoadedVersion
from service.inference.predictor import Predictor
from service.inference.registry import ModelRegistry
from service.lifecycle.model_control import ControlRequest, ModelControl
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
        self, registry: ModelRegistry, data_plane: DataPlane, statistics: Statistics, limits: Limits, instances: int
    ) -> None:
        self._registry = registry
        self._data_plane = data_plane
        self._statistics = statistics
        self._limits = limits
        self._instances = instances

    # Inference

    def select(self, name: str, version: str | None, state: RequestState) -> InferenceContext:
        """Select the version that answers, before the body is read."""
        try:
            choice = self._registry.choose(name, parse_version(version), state.bucket)
        except ModelNotFound as error:
            raise _unknown(name, version, error) from error
        return self._data_plane.begin(choice, state)

    def infer(self, context: InferenceContext, content: bytes, header_length: str | None) -> InferResponse:
        """Answer a body: JSON, tensors behind JSON, or, where `header_length` is "0", one tensor alone."""
        decode = _decode_raw if header_length == RAW else partial(_decode_request, header_length, self._limits)
        return self._data_plane.infer(context, decode(context, content))

    # Models

    def model(self, name: str, version: str | None) -> Document:
        """Names, types and shapes of a model's tensors."""
        return describe_model(self._find(name, version).metadata, self._versions(name))

    def config(self, name: str, version: str | None) -> Document:
        """A model's configuration."""
        metadata = self._find(name, version).metadata
        return describe_config(metadata, self._versions(name), self._limits.max_images, self._instances)

    def model_ready(self, name: str, version: str | None) -> Document:
        """Raises NotReady where no version, or not this one, is served."""
        wanted = parse_version(version)
        known = self._known(name)
        if not any(each.predictor and wanted in (None, each.version) for each in known):
            raise NotReady(f"Model version not ready: GET /models/{name} lists the versions of {name} and their states")
        return {"name": name, "ready": True}

    def names(self) -> Document:
        """The models, as KServe lists them."""
        return {"models": self._registry.names()}

    def statistics(self, name: str | None, version: str | None) -> Document:
        """What the versions that are served have done: all, one model's, or one."""
        if name is not None:
            self._find(name, version)
        number = parse_version(version)
        served = [each for each in self._registry if each.predictor and name in (None, each.name)]
        chosen = [each for each in served if number in (None, each.version)]
        read = self._statistics.read
        rows = [describe_statistics(each.name, each.version, read(each.name, each.version)) for each in chosen]
        return {"model_stats": rows}

    # Server

    def server(self, software: str) -> Document:
        """What the server is and can do; `software` is its version."""
        return describe_server(software)

    def server_ready(self, draining: bool) -> Document:
        """Raises NotReady while a model has no version that is served, or the server shuts down."""
        if draining:
            raise NotReady("Server exiting")
        problems = self._registry.problems()
        if problems:
            raise NotReady(f"{'; '.join(problems)}: GET /readyz says more")
        return {"ready": True, "live": True}

    def _find(self, name: str, version: str | None) -> Predictor:
        try:
            return self._registry.get(name, parse_version(version))
        except ModelNotFound as error:
            raise _unknown(name, version, error) from error

    def _known(self, name: str) -> list[LoadedVersion]:
        try:
            return self._registry.versions(name)
        except ModelNotFound as error:
            raise _unknown(name, None, error) from error

    def _versions(self, name: str) -> list[int]:
        return [each.version for each in self._registry.versions(name) if each.predictor]


def _unknown(name: str, version: str | None, error: ModelNotFound) -> ModelNotFound:
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
    request = parse_request(content, parse_header_length(header_length, len(content)))
    _check_deadline(request, context.state.queue_seconds)
    output = choose_output(request, context.metadata)
    encode = partial(encode_response, request.id, output, context.metadata)
    return DecodedRequest(read_inputs(request.inputs, context.metadata, limits), encode)


def _check_deadline(request: InferRequest, queue_seconds: float) -> None:
    if request.timeout is not None and queue_seconds > request.timeout:
        waited = f"{queue_seconds * 1e6:.0f} microseconds in the queue"
        raise DeadlineExceeded(f"waited {waited}, and the request's timeout is {request.timeout * 1e6:.0f}")


class OpenInferenceRepository:
    """An order is given first and checked when it is over. Every operation raises a RequestError."""

    def __init__(self, registry: ModelRegistry, control: ModelControl) -> None:
        self._registry = registry
        self._control = control

    def index(self, content: bytes) -> list[Document]:
        """Every version that was tried and its state; the body may ask for those that are ready only."""
        only_ready = parse_index_request(content)
        return [describe_state(each) for each in self._registry if each.predictor or not only_ready]

    def load(self, name: str, content: bytes) -> ControlRequest:
        """Order a model to be loaded; the body must not bring a configuration or files of its own."""
        check_load_request(content)
        return self._control.load(name)

    def unload(self, name: str, content: bytes) -> ControlRequest:
        """Order a model to be let go."""
        check_load_request(content)
        return self._control.unload(name)

    def is_over(self, order: ControlRequest) -> bool:
        """Whether `check` can tell what came of an order."""
        return self._control.is_over(order)

    def check(self, order: ControlRequest) -> None:
        """Raise what went wrong with an order."""
        self._control.check(order)
