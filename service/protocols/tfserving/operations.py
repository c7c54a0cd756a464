"""The operations of TensorFlow Serving's REST API, and KServe v1's, without HTTP."""

from functools import partial
from typing import NoReturn

from service.codecs.limits import Limits
from service.errors import InvalidRequest, NotReady
from service.inference.data_plane import DataPlane, DecodedRequest, InferenceContext
from service.inference.model_version import LoadedVersion
from service.inference.registry import ModelRegistry
from service.protocols.tfserving.cloud_events import EventForm, Reply, make_reply
from service.protocols.tfserving.inputs import read_classify, read_predict
from service.protocols.tfserving.request import parse_classify, parse_predict
from service.protocols.tfserving.responses import (
    Document,
    describe_metadata,
    describe_versions,
    encode_predictions,
    encode_results,
)
from service.protocols.tfserving.servables import choose_predictor, find_predictor, find_versions
from service.telemetry.request_state import RequestState


class TensorFlowServing:
    """Every operation raises a RequestError; `version` and `label` are as the client wrote them, None if it did not."""

    def __init__(self, registry: ModelRegistry, data_plane: DataPlane, limits: Limits) -> None:
        self._registry = registry
        self._data_plane = data_plane
        self._limits = limits

    def select(self, name: str, version: str | None, label: str | None, state: RequestState) -> InferenceContext:
        """Select the version that answers, before the body is read."""
        return self._data_plane.begin(choose_predictor(self._registry, name, version, label, state.bucket), state)

    def predict(self, context: InferenceContext, content: bytes, form: EventForm | None = None) -> Reply:
        """All probabilities of each image of a JSON body, as JSON; for an event of this form, as an event."""
        request = parse_predict(content, self._most_numbers(context), form)
        inputs = read_predict(request, context.metadata, self._limits)
        encode = partial(encode_predictions, request.by_row)
        return self._infer(context, DecodedRequest(inputs, encode), form)

    def classify(self, context: InferenceContext, content: bytes, form: EventForm | None = None) -> Reply:
        """All labels of each image with their probabilities, in the same way."""
        request = parse_classify(content, self._most_numbers(context), form)
        inputs = read_classify(request, context.metadata, self._limits)
        return self._infer(context, DecodedRequest(inputs, partial(encode_results, context.metadata)), form)

    def _infer(self, context: InferenceContext, request: DecodedRequest[bytes], form: EventForm | None) -> Reply:
        return make_reply(form, context.metadata.name, self._data_plane.infer(context, request))

    def _most_numbers(self, context: InferenceContext) -> int:
        return self._limits.max_images * context.image_numbers

    def regress(self, name: str, version: str | None, label: str | None) -> NoReturn:
        """Raise InvalidRequest: there are no models that estimate a number."""
        find_predictor(self._registry, name, version, label)
        raise InvalidRequest(f"{name} is a classifier, which has no :regress: use :predict or :classify instead")

    def names(self) -> Document:
        """The models, as KServe lists them."""
        return {"models": self._registry.names()}

    def status(self, name: str, version: str | None, label: str | None) -> Document:
        """Which versions there are, the newest first; of a whole model also what KServe's clients read.

        Raises NotReady where no version of the model is served. The state of a version is a fact about it, whether it
        is served or not, as in TensorFlow Serving.
        """
        versions = find_versions(self._registry, name, version, label)
        if version is not None:
            return describe_versions(versions)
        if not any(isinstance(each, LoadedVersion) for each in versions):
            reasons = "; ".join(f"version {each.version}: {each.reason}" for each in versions)
            raise NotReady(f"{name} is not ready: {reasons}: GET /v1/models/{name}/versions/<version> has each state")
        return {"name": name, "ready": True, **describe_versions(versions)}

    def metadata(self, name: str, version: str | None, label: str | None) -> Document:
        """Names, types and shapes of a model's tensors."""
        return describe_metadata(find_predictor(self._registry, name, version, label).metadata)
