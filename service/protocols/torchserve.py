"""TorchServe's inference API without HTTP: the responses of its image classifier, its health, and its errors."""

from functools import partial
from typing import Any

import orjson

from modelrepo.metadata import Metadata
from service.codecs.inputs import Inputs
from service.errors import ModelNotFound
from service.inference.data_plane import DataPlane, DecodedRequest, InferenceContext
from service.inference.prediction import Classification, top_k
from service.inference.registry import ModelRegistry
from service.lifecycle.readiness import Readiness
from service.protocols.common import parse_version
from service.telemetry.request_state import RequestState

BEST = 5  # classes in a response, as `image_classifier` has
MINOR = ".0"  # of a version in TorchServe, where the first is 1.0
ERROR_TYPES = {
    "model_not_found": "ModelNotFoundException",
    "route_not_found": "ResourceNotFoundException",
    "method_not_allowed": "MethodNotAllowedException",
}
INTERNAL, UNAVAILABLE = 500, 503


class TorchServe:
    """Prediction and health; prediction raises a RequestError."""

    def __init__(self, registry: ModelRegistry, data_plane: DataPlane, readiness: Readiness) -> None:
        self._registry = registry
        self._data_plane = data_plane
        self._readiness = readiness

    def select(self, name: str, version: str | None, state: RequestState) -> InferenceContext:
        """Select the version that answers, before the body is read; `version` is as the client wrote it."""
        number = parse_version(version and version.removesuffix(MINOR))
        try:
            choice = self._registry.choose(name, number, state.bucket)
        except ModelNotFound as error:
            raise ModelNotFound(f"Model not found: {name}: {error}") from error
        return self._data_plane.begin(choice, state)

    def predict(self, context: InferenceContext, inputs: Inputs) -> bytes:
        """The most probable labels of the image, or a list of that where there are several images, as JSON."""
        return self._data_plane.infer(context, DecodedRequest(inputs, partial(_encode, context.metadata)))

    def is_healthy(self) -> bool:
        """Whether the service is ready."""
        return not self._readiness.problems()


def describe_health(is_healthy: bool) -> dict[str, str]:
    """The response to a ping."""
    return {"status": "Healthy" if is_healthy else "Unhealthy"}


def describe_error(status: int, code: str, sentence: str) -> dict[str, Any]:
    """An error as TorchServe's clients know it."""
    kind = "BadRequestException"
    if status >= INTERNAL:
        kind = "ServiceUnavailableException" if status == UNAVAILABLE else "InternalServerException"
    return {"code": status, "type": ERROR_TYPES.get(code, kind), "message": sentence}


def _encode(metadata: Metadata, classification: Classification) -> bytes:
    ranked = top_k(classification.probabilities, metadata.labels, min(BEST, metadata.output.classes))
    images = [{each.label: each.probability for each in best} for best in ranked]
    return orjson.dumps(images if len(images) > 1 else images[0], option=orjson.OPT_APPEND_NEWLINE)
