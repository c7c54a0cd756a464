"""The response to an inference request: JSON, with the output in it or as bytes behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from modelrepo.metadata import Metadata
from service.errors import InvalidRequest
from service.inference.prediction import AbstainReason, Classification, top_k
from service.protocols.openinference.datatypes import BYTES, PROBABILITIES, join_elements
from service.protocols.openinference.request import InferRequest, Output


@dataclass(frozen=True)
class InferResponse:
    """A body, and the length of the JSON before its tensors; None where it is all JSON."""

    content: bytes
    header_length: int | None


def choose_output(request: InferRequest, metadata: Metadata) -> Output:
    """The output that the client requests, or the model's one output where it names none; raises InvalidRequest."""
    name = metadata.output.name
    for output in request.outputs:
        if output.name != name:
            raise InvalidRequest(
                f"unexpected inference output {output.name!r} for model {metadata.name!r}: its output is {name!r}"
            )
    if len(request.outputs) > 1:
        raise InvalidRequest(f"output {name!r} is requested {len(request.outputs)} times: name it once")
    return request.outputs[0] if request.outputs else Output(name, request.binary, None)


def encode_response(
    request_id: str | None, output: Output, metadata: Metadata, classification: Classification
) -> InferResponse:
    """The response with the output as JSON or, behind it, as bytes."""
    document: dict[str, Any] = {} if request_id is None else {"id": request_id}
    document |= {"model_name": metadata.name, "model_version": str(metadata.version)}
    if classification.reasons is not None:
        document["parameters"] = _abstention(classification.reasons)
    tensor, blob = _encode(output, metadata, classification)
    header = orjson.dumps({**document, "outputs": [tensor]}, option=orjson.OPT_SERIALIZE_NUMPY)
    return InferResponse(header + b"\n", None) if blob is None else InferResponse(header + blob, len(header))


def _abstention(reasons: Sequence[AbstainReason | None]) -> dict[str, str | bool]:
    """Whether the model abstains from any image, and from which: a parameter is one text, number or boolean.

    So the reasons are one text with a word for each image, "" where it answers, between commas.
    """
    if not any(reasons):
        return {"abstained": False}
    return {"abstained": True, "reason": ",".join(each or "" for each in reasons)}


def _encode(output: Output, metadata: Metadata, classification: Classification) -> tuple[dict[str, Any], bytes | None]:
    """A tensor's description and, where the client wants that, its bytes."""
    if output.classes is not None:
        return _encode_classes(output, output.classes, metadata, classification)
    probabilities = np.ascontiguousarray(classification.probabilities, "<f4")
    tensor: dict[str, Any] = {"name": output.name, "datatype": PROBABILITIES, "shape": probabilities.shape}
    if not output.binary:
        return {**tensor, "data": probabilities.reshape(-1)}, None
    blob = probabilities.tobytes()
    return {**tensor, "parameters": {"binary_data_size": len(blob)}}, blob


def _encode_classes(
    output: Output, classes: int, metadata: Metadata, classification: Classification
) -> tuple[dict[str, Any], bytes | None]:
    """The classification extension: texts `<value>:<index>:<label>`, the value as C++'s std::to_string writes it."""
    ranked = top_k(classification.probabilities, metadata.labels, classes)
    texts = [f"{each.probability:.6f}:{each.index}:{each.label}" for best in ranked for each in best]
    tensor: dict[str, Any] = {"name": output.name, "datatype": BYTES, "shape": [len(ranked), len(ranked[0])]}
    if not output.binary:
        return {**tensor, "data": texts}, None
    blob = join_elements(text.encode() for text in texts)
    return {**tensor, "parameters": {"binary_data_size": len(blob)}}, blob
