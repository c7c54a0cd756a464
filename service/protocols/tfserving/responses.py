"""The responses: to :predict and :classify, and the documents about a model's status and signature."""

from collections.abc import Sequence
from typing import Any

import orjson

from modelrepo.metadata import Metadata
from service.inference.model_version import ModelVersion, VersionState
from service.inference.prediction import Classification, top_k
from service.protocols.tfserving.request import SIGNATURE

Document = dict[str, Any]


def encode_predictions(by_row: bool, classification: Classification) -> bytes:
    """Every class's probability, in the order of the labels, with the fewest digits that are the same float32."""
    document = {"predictions" if by_row else "outputs": classification.probabilities}
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)


def encode_results(metadata: Metadata, classification: Classification) -> bytes:
    """Every class's label and probability, the most probable first."""
    ranked = top_k(classification.probabilities, metadata.labels, metadata.output.classes)
    document = {"results": [[(best.label, best.probability) for best in row] for row in ranked]}
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def describe_versions(versions: Sequence[ModelVersion]) -> Document:
    """The status of each version."""
    return {"model_version_status": [_describe_version(each) for each in versions]}


def describe_metadata(metadata: Metadata) -> Document:
    """The one signature: TensorFlow's types, and shapes with -1 for the axis of the images."""
    spec, output = metadata.input, metadata.output
    pixels = _describe_tensor(spec.name, "DT_UINT8", (-1, spec.height, spec.width, spec.channels))
    scores = _describe_tensor(output.name, "DT_FLOAT", (-1, output.classes))
    signature = {
        "inputs": {spec.name: pixels},
        "outputs": {output.name: scores},
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {"name": metadata.name, "signature_name": "", "version": str(metadata.version)},
        "metadata": {"signature_def": {"signature_def": {SIGNATURE: signature}}},
    }


def _describe_version(version: ModelVersion) -> Document:
    """A version's state and status, in the words of TensorFlow Serving and of gRPC."""
    states = {VersionState.READY: "AVAILABLE", VersionState.LOADING: "LOADING", VersionState.UNAVAILABLE: "END"}
    status = {"error_code": "FAILED_PRECONDITION" if version.failure else "OK", "error_message": version.reason}
    return {"version": str(version.version), "state": states[version.state], "status": status}


def _describe_tensor(name: str, dtype: str, shape: Sequence[int]) -> Document:
    axes = [{"size": str(length), "name": ""} for length in shape]
    return {"dtype": dtype, "tensor_shape": {"dim": axes, "unknown_rank": False}, "name": name}
