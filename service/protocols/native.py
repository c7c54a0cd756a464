"""The native dialect without HTTP: a model's name and a way to get at the inputs in, a JSON document out."""

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson

from modelrepo.metadata import Metadata
from service.codecs.inputs import Inputs
from service.errors import InvalidRequest
from service.inference.data_plane import DataPlane, DecodedRequest
from service.inference.prediction import Classification, RankedClass, rank
from service.inference.registry import ModelRegistry
from service.protocols.common import parse_version
from service.telemetry.request_state import RequestState

DEFAULT_TOP_K = 5


class NativeProtocol:
    """Answers prediction requests over what is loaded."""

    def __init__(self, registry: ModelRegistry, inference: DataPlane) -> None:
        self._registry = registry
        self._inference = inference

    def predict(
        self,
        name: str | None,
        version: str | None,
        top_k: str | None,
        read: Callable[[], Inputs],
        state: RequestState,
    ) -> bytes:
        """Find the model, classify what `read` returns, and return the JSON document.

        `version` and `top_k` are as the client wrote them, None where it did not. Raises a RequestError.
        """
        choice = self._registry.choose(name, parse_version(version), state.bucket)
        return self._inference.run(choice, partial(_understand, choice.predictor.metadata, top_k, read), state)


def _understand(metadata: Metadata, top_k: str | None, read: Callable[[], Inputs]) -> DecodedRequest[bytes]:
    ranks = _parse_top_k(top_k, metadata)
    return DecodedRequest(read(), partial(_write, metadata, ranks))


def _parse_top_k(text: str | None, metadata: Metadata) -> int:
    classes = metadata.output.classes
    if text is None:
        return min(DEFAULT_TOP_K, classes)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= classes):
        sentence = f"top_k must be a whole number from 1 to {classes}, the classes of {metadata.name}, not {text!r}"
        raise InvalidRequest(sentence)
    return int(text)


def _write(metadata: Metadata, top_k: int, classification: Classification) -> bytes:
    ranked = rank(classification.probabilities, metadata.labels, top_k)
    below = metadata.output.abstain_below
    entries = [_entry(best, steps, below) for best, steps in zip(ranked, classification.steps, strict=True)]
    return orjson.dumps({"model_name": metadata.name, "model_version": metadata.version, "predictions": entries})


def _entry(top_k: tuple[RankedClass, ...], steps: tuple[str, ...], abstain_below: float | None) -> dict[str, Any]:
    """One image's entry; orjson writes the ranked classes, which are dataclasses, as objects."""
    best = top_k[0]
    entry: dict[str, Any] = {"label": best.label, "index": best.index, "probability": best.probability}
    if abstain_below is not None:
        entry["abstained"] = best.is_below(abstain_below)
    if steps:
        entry["preprocessing"] = steps
    return {**entry, "top_k": top_k}
