"""An exported graph in ONNX Runtime, on the CPU as it will be served."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from tqdm import tqdm

from training.datasets import Images
from training.evaluation import Probabilities

_BATCH = 256  # large enough to be fast, small enough for any memory

Classifier = Callable[[Images], Probabilities]


def open_graph(model: bytes | Path) -> Classifier:
    """A function from uint8 images of [N, height, width, channels] to probabilities of [N, classes]."""
    source = model if isinstance(model, bytes) else str(model)
    session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def classify(images: Images) -> Probabilities:
        starts = tqdm(range(0, len(images), _BATCH), desc="ONNX Runtime", unit=" batches", leave=False, disable=None)
        return np.concatenate([session.run(None, {name: images[i : i + _BATCH]})[0] for i in starts])

    return classify
