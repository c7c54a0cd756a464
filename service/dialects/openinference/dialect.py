"""The protocol's operations over what is loaded."""

from collections.abc import Callable
from functools import partial

from modelrepo.metadata import Metadata
from service.dialects.openinference.answer import InferAnswer, choose_output, write_answer
from service.dialects.openinference.documents import (
    Document,
    describe_config,
    describe_model,
    describe_server,
    describe_statistics,
)
from service.dialects.openinference.request import (
    InferRequest,
    Output,
    parse_header_length,
    parse_request,
)
from service.dialects.openinference.tensors import read_inputs, read_raw
from service.errors import DeadlineExceeded, ModelNotFound, NotReady
from service.inference import Inference, Task
from service.limits import Limits
from service.loadedversion import LoadedVersion
from service.predictor import Predictor
from service.record import RequestRecord
from service.registry import ModelRegistry
from service.statistics import Statistics
from service.trafficsplit import Choice
from service.versions import parse_version

RAW = "0"  # the length of the JSON before a tensor that comes alone


class OpenInference:
    """Every operation raises a RequestError; `version` is as the client wrote it, None if it did not."""

    def __init__(
        self, registry: ModelRegistry, inference: Inference, statistics: Statistics, limits: Limits, instances: int
    ) -> None:
        self._registry = registry
        self._inference = inference
        self._statistics = statistics
        self._limits = limits
        self._instances = instances

    # Inference

    def infer(
        self,
        name: str,
        version: str | None,
        read: Callable[[], bytes],
        header_length: str | None,
        record: RequestRecord,
    ) -> InferAnswer:
        """Answer the body that `read` returns: JSON, tensors behind JSON, or one tensor (`header_length` "0")."""
        choice = self._choose(name, version, record.lot)
        understand = partial(self._understand, choice.predictor.metadata, read, header_length, record)
        return self._inference.run(choice, understand, record)

    def _understand(
        self, metadata: Metadata, read: Callable[[], bytes], header_length: str | None, record: RequestRecord
    ) -> Task[InferAnswer]:
        content = read()
        if header_length == RAW:
            raw = Output(metadata.output.name, binary=True, classes=None)
            return Task(read_raw(content, metadata), partial(write_answer, None, raw, metadata))
        request = parse_request(content, parse_header_length(header_length, len(content)))
        _check_deadline(request, record)
        output = choose_output(request, metadata)
        inputs = read_inputs(request.inputs, metadata, self._limits)
        return Task(inputs, partial(write_answer, request.id, output, metadata))

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

    def _choose(self, name: str, version: str | None, lot: float) -> Choice:
        try:
            return self._registry.choose(name, parse_version(version), lot)
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


def _check_deadline(request: InferRequest, record: RequestRecord) -> None:
    if request.timeout is not None and record.queue_seconds > request.timeout:
        waited = f"{record.queue_seconds * 1e6:.0f} microseconds in the queue"
        raise DeadlineExceeded(f"waited {waited}, and the request's timeout is {request.timeout * 1e6:.0f}")
