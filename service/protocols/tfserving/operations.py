"""The protocol's operations over what is loaded."""

from collections.abc import Callable
from functools import partial
from typing import NoReturn

from modelrepo.metadata import Metadata
from service.codecs.limits import Limits
from service.errors import InvalidRequest, NotReady
from service.inference.data_plane import DataPlane, DecodedRequest
from service.inference.registry import ModelRegistry
from service.protocols.tfserving.inputs import read_classify, read_predict
from service.protocols.tfserving.request import parse_classify, parse_predict
from service.protocols.tfserving.responses import (
    Document,
    describe_metadata,
    describe_status,
    write_predictions,
    write_results,
)
from service.protocols.tfserving.servables import choose_predictor, find_predictor, find_versions
from service.telemetry.request_state import RequestState


class TensorFlowServing:
    """Every operation raises a RequestError; `version` and `label` are as the client wrote them, None if it did not."""

    def __init__(self, registry: ModelRegistry, inference: DataPlane, limits: Limits) -> None:
        self._registry = registry
        self._inference = inference
        self._limits = limits

    def predict(
        self, name: str, version: str | None, label: str | None, read: Callable[[], bytes], state: RequestState
    ) -> bytes:
        """All probabilities of each image of the JSON body that `read` returns, as JSON."""
        choice = choose_predictor(self._registry, name, version, label, state.bucket)
        return self._inference.run(choice, partial(self._understand_predict, choice.predictor.metadata, read), state)

    def _understand_predict(self, metadata: Metadata, read: Callable[[], bytes]) -> DecodedRequest[bytes]:
        request = parse_predict(read())
        return DecodedRequest(read_predict(request, metadata, self._limits), partial(write_predictions, request.by_row))

    def classify(
        self, name: str, version: str | None, label: str | None, read: Callable[[], bytes], state: RequestState
    ) -> bytes:
        """All labels of each image of the JSON body that `read` returns with their probabilities, as JSON."""
        choice = choose_predictor(self._registry, name, version, label, state.bucket)
        return self._inference.run(choice, partial(self._understand_classify, choice.predictor.metadata, read), state)

    def _understand_classify(self, metadata: Metadata, read: Callable[[], bytes]) -> DecodedRequest[bytes]:
        request = parse_classify(read())
        return DecodedRequest(read_classify(request, metadata, self._limits), partial(write_results, metadata))

    def regress(self, name: str, version: str | None, label: str | None) -> NoReturn:
        """Refused: there are no models that estimate a number."""
        find_predictor(self._registry, name, version, label)
        raise InvalidRequest(f"{name} is a classifier, which has no :regress: use :predict or :classify instead")

    def names(self) -> Document:
        """The models, as KServe lists them."""
        return {"models": self._registry.names()}

    def status(self, name: str, version: str | None, label: str | None) -> Document:
        """Which versions there are, the newest first; raises NotReady, with the document, where none is served."""
        document = describe_status(name, find_versions(self._registry, name, version, label))
        if not document["ready"]:
            raise NotReady(f'{name} is not ready: "model_version_status" says why', document)
        return document

    def metadata(self, name: str, version: str | None, label: str | None) -> Document:
        """Names, types and shapes of a model's tensors."""
        return describe_metadata(find_predictor(self._registry, name, version, label).metadata)
