"""Inference by ONNX Runtime on the CPU, as the service runs a graph: the one place where its sessions are opened.

Images are uint8 [N, height, width, channels], in memory or in files.
"""

import math
from collections.abc import Callable, Iterable, Sequence
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
from preprocessing.pipeline import normalize
from training.data.splits import ImageArray
from training.evaluation.metrics import Probabilities

_BATCH = 256  # large enough to be fast, small enough for any memory
# Pixels times channels in a batch: 256 digits, or 27 images of 224 × 224, whose activations are large.
_VALUES = 1 << 22

Tensor = NDArray[Any]  # what a graph takes, or what one of its nodes computes
Scores = NDArray[Any]  # what a graph returns; [N, classes] if it classifies
Scorer = Callable[[ImageArray], Scores]
Classifier = Callable[[ImageArray], Probabilities]


def open_session(
    model: bytes | Path, *, threads: int | None = None, optimize: bool = True
) -> onnxruntime.InferenceSession:
    """A session for a serialized graph or its file; ONNX Runtime chooses the number of threads where none is given.

    Raises ONNX Runtime's own errors, which have no common base below Exception, for a graph that it cannot load.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; its warnings about graphs from elsewhere are of no use here
    if threads is not None:
        options.intra_op_num_threads = options.inter_op_num_threads = threads
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def open_graph(model: bytes | Path) -> Classifier:
    """A function from images to probabilities, for a graph that takes uint8 images and returns probabilities."""
    session = open_session(model)
    name = session.get_inputs()[0].name

    def classify(images: ImageArray) -> Probabilities:
        size = _batch_size(images.shape[1:])
        return np.concatenate([_run(session, name, images[i : i + size]) for i in _starts(images, size)])

    return classify


def open_bundle(bundle: Bundle) -> Classifier:
    """A function from images of the model's size to probabilities; normalizes as the bundle's contract says."""
    metadata = bundle.metadata
    score = open_scorer(bundle.model, metadata.input, metadata.preprocessing)
    return lambda images: to_probabilities(score(images), metadata.output.kind)


def open_scorer(model: bytes | Path, spec: InputSpec, contract: Preprocessing) -> Scorer:
    """A function from images to the graph's first output, logits or probabilities."""
    outputs = open_outputs(model, spec, contract)
    return lambda images: outputs(images)[0]


def open_outputs(
    model: bytes | Path, spec: InputSpec, contract: Preprocessing
) -> Callable[[ImageArray], tuple[Scores, ...]]:
    """A function from images to all outputs of the graph, in its order.

    A graph with a fixed batch axis gets batches of that length, the last one filled up with zeros.
    """
    session = open_session(model)
    size = spec.batch or _batch_size((spec.height, spec.width, spec.channels))

    def compute(images: ImageArray) -> tuple[Scores, ...]:
        tensors = (normalize(images[i : i + size], spec, contract) for i in _starts(images, size))
        batches = [session.run(None, {spec.name: _fill(tensor, spec.batch)}) for tensor in tensors]
        return tuple(np.concatenate(parts)[: len(images)] for parts in zip(*batches, strict=True))

    return compute


def to_probabilities(scores: Scores, kind: str) -> Probabilities:
    """Scores of [N, classes] as probabilities: the softmax of `logits`, `probabilities` unchanged."""
    if kind == "probabilities":
        return scores
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def compute_values(
    model: onnx.ModelProto, names: Sequence[str], input_name: str, batches: Sequence[Tensor]
) -> list[list[Any]]:
    """The named values inside of a graph, a list for each batch, in the order of the names.

    The graph is opened once and not optimized, because optimization merges nodes.
    """
    extended = onnx.ModelProto()
    extended.CopyFrom(model)
    del extended.graph.output[:]
    extended.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)  # ONNX Runtime infers the types
    session = open_session(extended.SerializeToString(), optimize=False)
    return [session.run(list(names), {input_name: batch}) for batch in batches]


Shape = tuple[int, ...]


@dataclass(frozen=True)
class TensorInfo:
    """The shape of a value for one batch, and NumPy's name of its type."""

    shape: Shape
    dtype: str


def measure_tensors(model: onnx.ModelProto, input_name: str, batches: Sequence[Tensor]) -> list[dict[str, TensorInfo]]:
    """For each batch all tensors of a graph by name: its input, its weights, and what its nodes compute."""
    names = [name for node in model.graph.node for name in node.output if name]
    weights = {tensor.name: _stored_info(tensor) for tensor in model.graph.initializer}
    return [
        {
            input_name: _info(batch),
            **weights,
            **{name: _info(value) for name, value in zip(names, values, strict=True) if isinstance(value, np.ndarray)},
        }
        for batch, values in zip(batches, compute_values(model, names, input_name, batches), strict=True)
    ]


def _run(session: onnxruntime.InferenceSession, name: str, tensor: Tensor) -> Scores:
    scores: Scores = session.run(None, {name: tensor})[0]
    return scores


def _batch_size(shape: tuple[int, ...]) -> int:
    return min(_BATCH, max(1, _VALUES // math.prod(shape)))


def _starts(images: ImageArray, size: int) -> Iterable[int]:
    starts: Iterable[int] = tqdm(
        range(0, len(images), size), desc="ONNX Runtime", unit=" batches", leave=False, disable=None
    )
    return starts


def _fill(tensor: Tensor, batch: int | None) -> Tensor:
    missing = 0 if batch is None else batch - len(tensor)
    return np.concatenate([tensor, np.zeros((missing, *tensor.shape[1:]), tensor.dtype)]) if missing else tensor


def _info(value: Tensor) -> TensorInfo:
    return TensorInfo(value.shape, value.dtype.name)


def _stored_info(tensor: onnx.TensorProto) -> TensorInfo:
    return TensorInfo(tuple(tensor.dims), onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).name)
