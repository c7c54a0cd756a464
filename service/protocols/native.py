"""The native protocol without HTTP: inputs come in, a JSON document goes out."""

from functools import partial
from typing import Any

import orjson

from modelrepo.metadata import Metadata
from service.codecs.inputs import Inputs
from service.errors import InvalidRequest
from service.inference.data_plane import DataPlane, DecodedRequest, InferenceContext
from service.inference.prediction import Classification, RankedClass, top_k
from service.inference.registry import ModelRegistry
from service.protocols.common import parse_count, parse_version
from service.telemetry.request_state import RequestState

DEFAULT_TOP_K = 5


class NativeProtocol:
    """Prediction requests; both steps raise a RequestError. Texts are as the client wrote them, None if it did not."""

    def __init__(self, registry: ModelRegistry, data_plane: DataPlane) -> None:
        self._registry = registry
        self._data_plane = data_plane

    def select(self, name: str | None, version: str | None, state: RequestState) -> InferenceContext:
        """Select the version that answers, before the body is read."""
        number = None if version is None else parse_version(version)
        choice = self._registry.choose(name, number, state.bucket)
        return self._data_plane.begin(choice, state)

    def predict(self, context: InferenceContext, inputs: Inputs, top_k: str | None) -> bytes:
        """Classify the inputs and return the JSON document with the `top_k` most probable classes of each image."""
        encode = partial(_encode_response, context.metadata, _parse_top_k(top_k, context.metadata))
        return self._data_plane.infer(context, DecodedRequest(inputs, encode))


def _parse_top_k(text: str | None, metadata: Metadata) -> int:
    classes = metadata.output.classes
    if text is None:
        return min(DEFAULT_TOP_K, classes)
    count = parse_count(text, 1, classes)
    if count is None:
        sentence = f"top_k must be a whole number from 1 to {classes}, the classes of {metadata.name}, not {text!r:.82}"
        raise InvalidRequest(sentence)
    return count


def _encode_response(metadata: Metadata, count: int, classification: Classification) -> bytes:
    ranked = top_k(classification.probabilities, metadata.labels, count)
    abstentions = _abstentions(classification)
    entries = [_entry(*each) for each in zip(ranked, abstentions, classification.steps, strict=True)]
    document = {"model_name": metadata.name, "model_version": metadata.version, "predictions": entries}
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def _abstentions(classification: Classification) -> list[dict[str, Any]]:
    """The members of each image's entry that say whether the model abstains; none of a model that never does."""
    if classification.reasons is None:
        return [{}] * len(classification.steps)
    return [{"abstained": True, "reason": each} if each else {"abstained": False} for each in classification.reasons]


def _entry(ranked: tuple[RankedClass, ...], abstention: dict[str, Any], steps: tuple[str, ...]) -> dict[str, Any]:
    """One image's entry; orjson writes the ranked classes, which are dataclasses, as objects."""
    best = ranked[0]
    entry = {"label": best.label, "index": best.index, "probability": best.probability, **abstention}
    if steps:
        entry["preprocessing"] = steps
    return {**entry, "top_k": ranked}
