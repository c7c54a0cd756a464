"""A tiny real model, published as a real bundle, so that tests of serving need no `models/` folder.

The network classifies images of 8 × 8 by the columns that are bright: left, middle or right.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from modelrepo.golden import GoldenImage, GoldenSet, write_golden
from modelrepo.metadata import CHANNELS, InputSpec, Layer, Metadata, OutputSpec, ParameterCounts, Preprocessing
from modelrepo.repository import MODEL, ModelRepository
from modelrepo.writer import publish, staging
from preprocessing.png import encode_png
from tests.support.images.drawn import SIDE, tiny_image

LABELS = ("left", "middle", "right")
COLUMNS = (slice(0, 3), slice(3, 5), slice(5, 8))  # the columns of each label
TOLERANCE = 1e-6
OUTLIERS = "outlier_score"
PREPROCESSING = Preprocessing(
    mode="grayscale",
    fit="stretch",
    interpolation="bilinear",
    alpha="white",
    exif_orientation=True,
    ink=False,
)


def tiny_graph(
    channels: int = 1, batch: int | None = None, order: Sequence[int] = (0, 1, 2), *, outliers: bool = False
) -> bytes:
    """An ONNX model: uint8 [N, 8, 8, channels] → Cast → Flatten → MatMul → Softmax → float32 [N, 3].

    `order` says by which label's weights each label is scored; another order gives other labels. With `outliers` the
    graph has a second output, OUTLIERS: the mean of the pixels.
    """
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["pixels"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    size = batch or "N"
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, [size, SIDE, SIDE, channels])]
    outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [size, len(LABELS)])]
    if outliers:
        nodes.append(helper.make_node("ReduceMean", ["flat"], [OUTLIERS], axes=[1], keepdims=0))
        outputs.append(helper.make_tensor_value_info(OUTLIERS, TensorProto.FLOAT, [size]))
    weights = [numpy_helper.from_array(_weights(channels)[:, list(order)], "weights")]
    built = helper.make_graph(nodes, "tiny", inputs, outputs, weights)
    model = helper.make_model(built, ir_version=10, opset_imports=[helper.make_opsetid("", 17)])
    return bytes(model.SerializeToString())


def tiny_metadata(name: str, version: int = 1, mode: str = "grayscale", **changes: Any) -> Metadata:
    """Valid metadata of the network, with a test's changes."""
    channels = CHANNELS[mode]
    parameters = SIDE * SIDE * channels * len(LABELS)
    members: Mapping[str, Any] = {
        "name": name,
        "version": version,
        "created": "2026-01-01T00:00:00Z",
        "description": "Where a picture is bright",
        "input": InputSpec("image", "uint8", "NHWC", None, SIDE, SIDE, channels),
        "preprocessing": Preprocessing(**{**vars(PREPROCESSING), "mode": mode}),
        "output": OutputSpec("probabilities", "float32", "probabilities", len(LABELS)),
        "labels": LABELS,
        "layers": (
            Layer("flatten", "Flatten", (None, SIDE * SIDE * channels), 0, 0),
            Layer("dense", "Dense", (None, len(LABELS)), parameters, parameters, activation="softmax"),
        ),
        "parameters": ParameterCounts(parameters, parameters, 0),
        "training": {},
        "evaluation": {"accuracy": 1.0},
        "parity": {},
        "files": {},
    }
    return Metadata(**{**members, **changes})


def publish_tiny(
    models: Path,
    name: str,
    version: int = 1,
    mode: str = "grayscale",
    *,
    golden: GoldenSet | None = None,
    network: bytes | None = None,
    **changes: Any,
) -> Path:
    """Publish a version through the real writer; golden images are computed by ONNX Runtime unless given.

    `network` is an ONNX model that takes the place of the usual one.
    """
    repository = ModelRepository(models)
    metadata = tiny_metadata(name, version, mode, **changes)
    with staging(repository) as staged:
        (staged / MODEL).write_bytes(network or tiny_graph(metadata.input.channels, metadata.input.batch))
        write_golden(staged, golden or compute_golden(staged / MODEL, metadata.input))
        return publish(repository, staged, metadata)


def compute_golden(model: Path, spec: InputSpec) -> GoldenSet:
    """Three images, each with the probabilities of ONNX Runtime."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    images = []
    for place in range(len(LABELS)):
        image = tiny_image(place, spec.channels)
        batch = np.repeat(image[None], spec.batch or 1, axis=0)
        probabilities = session.run(None, {spec.name: batch})[0][0]
        images.append(GoldenImage(f"{place:02}.png", encode_png(image), tuple(probabilities.tolist())))
    return GoldenSet(TOLERANCE, tuple(images))


def _weights(channels: int) -> NDArray[np.float32]:
    """[height × width × channels, labels]: the mean brightness of a label's columns, times 4."""
    weights = np.zeros((SIDE, SIDE, channels, len(LABELS)), np.float32)
    for label, columns in enumerate(COLUMNS):
        weights[:, columns, :, label] = 4 / 255 / (SIDE * channels * (columns.stop - columns.start))
    return weights.reshape(-1, len(LABELS))
