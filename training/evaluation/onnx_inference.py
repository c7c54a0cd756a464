"""Graphs in ONNX Runtime, on the CPU as they will be served; also what every value inside of a graph is."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from tqdm import tqdm

from modelrepo.metadata import InputSpec, Preprocessing
from modelrepo.reader import Bundle
from preprocessing.normalize import normalize
from training.data.splits import Pictures
from training.evaluation.metrics import Probabilities

_BATCH = 256  # large enough to be fast, small enough for any memory
# Pixels times channels in a batch: 256 digits, or 27 images of 224 × 224, whose activations are large.
_VALUES = 1 << 22

Tensor = NDArray[Any]  # what a graph takes
Scores = NDArray[Any]  # whatever a graph gives, [N, classes] if it classifies
Scorer = Callable[[Pictures], Scores]
Classifier = Callable[[Pictures], Probabilities]


def open_graph(model: bytes | Path) -> Classifier:
    """A function from uint8 images of [N, height, width, channels] to probabilities, which the graph itself gives."""
    session = _open(model)
    name = session.get_inputs()[0].name

    def classify(images: Pictures) -> Probabilities:
        size = _many(images.shape[1:])
        return np.concatenate([_run(session, name, images[i : i + size]) for i in _starts(images, size)])

    return classify


def open_bundle(bundle: Bundle) -> Classifier:
    """A function from uint8 images of the model's size to probabilities, by the bundle's own rules."""
    metadata = bundle.metadata
    score = open_scorer(bundle.model, metadata.input, metadata.preprocessing)
    return lambda images: to_probabilities(score(images), metadata.output.kind)


def open_scorer(model: bytes | Path, inputs: InputSpec, rules: Preprocessing) -> Scorer:
    """A function from uint8 images of [N, height, width, channels] to what the graph gives for them.

    A graph with a fixed batch axis gets its images in such batches, the last filled up with zeros.
    """
    session = _open(model)
    size = inputs.batch or _many((inputs.height, inputs.width, inputs.channels))

    def score(images: Pictures) -> Scores:
        tensors = (normalize(images[i : i + size], inputs, rules) for i in _starts(images, size))
        filled = (_fill(tensor, inputs.batch) for tensor in tensors)
        return np.concatenate([_run(session, inputs.name, tensor) for tensor in filled])[: len(images)]

    return score


def to_probabilities(scores: Scores, kind: str) -> Probabilities:
    """The scores themselves, or their softmax where they are logits."""
    if kind == "probabilities":
        return scores
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _open(model: bytes | Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; what else it says of other people's graphs is of no use here
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, name: str, tensor: Tensor) -> Scores:
    scores: Scores = session.run(None, {name: tensor})[0]
    return scores


def _fill(tensor: Tensor, batch: int | None) -> Tensor:
    missing = 0 if batch is None else batch - len(tensor)
    return np.concatenate([tensor, np.zeros((missing, *tensor.shape[1:]), tensor.dtype)]) if missing else tensor


def _many(shape: tuple[int, ...]) -> int:
    return min(_BATCH, max(1, _VALUES // math.prod(shape)))


def _starts(images: Pictures, size: int) -> Iterable[int]:
    starts: Iterable[int] = tqdm(
        range(0, len(images), size), desc="ONNX Runtime", unit=" batches", leave=False, disable=None
    )
    return starts


Shape = tuple[int, ...]


@dataclass(frozen=True)
class Value:
    """What a node gave for one batch: its axes and NumPy's name of its type."""

    shape: Shape
    dtype: str


def measure(model: onnx.ModelProto, name: str, batch: Tensor) -> Mapping[str, Value]:
    """All values of a graph by name for one batch: its input, its weights, and what its nodes give."""
    outputs = [output for node in model.graph.node for output in node.output if output]
    session = onnxruntime.InferenceSession(
        _with_outputs(model, outputs), _options(), providers=["CPUExecutionProvider"]
    )
    given = zip(outputs, session.run(outputs, {name: batch}), strict=True)
    found = {output: Value(value.shape, value.dtype.name) for output, value in given if isinstance(value, np.ndarray)}
    return {name: Value(batch.shape, batch.dtype.name), **_initial(model.graph), **found}


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # it runs once
    return options


def _with_outputs(model: onnx.ModelProto, outputs: list[str]) -> bytes:
    """The model with every value of it among the outputs, whose types ONNX Runtime finds by itself."""
    told = onnx.ModelProto()
    told.CopyFrom(model)
    del told.graph.output[:]
    told.graph.output.extend(onnx.ValueInfoProto(name=output) for output in outputs)
    return bytes(told.SerializeToString())


def _initial(graph: onnx.GraphProto) -> dict[str, Value]:
    kinds = {tensor.name: onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).name for tensor in graph.initializer}
    return {tensor.name: Value(tuple(tensor.dims), kinds[tensor.name]) for tensor in graph.initializer}
