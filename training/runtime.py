"""Graphs in ONNX Runtime, on the CPU as they will be served."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tqdm import tqdm

from modelrepo.metadata import InputSpec, Preprocessing
from modelrepo.reader import Bundle
from training.datasets import Pictures
from training.evaluation import Probabilities
from training.tensors import Tensor, make_tensor

_BATCH = 256  # large enough to be fast, small enough for any memory
# Pixels times channels in a batch: 256 digits, or 27 images of 224 × 224, whose activations are large.
_VALUES = 1 << 22

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
        tensors = (make_tensor(images[i : i + size], inputs, rules) for i in _starts(images, size))
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
