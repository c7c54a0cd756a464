"""Keras to ONNX: a graph that takes raw uint8 pixels and returns probabilities, its batch axis free.

Parity is the proof that the graph computes what the Keras network does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from modelrepo.golden import GoldenSet
from modelrepo.strict_json import JsonObject
from training.data.splits import ImageArray
from training.engine.input_pipeline import predict
from training.errors import ParityFailed
from training.evaluation.golden_images import draw_extremes, draw_images, make_golden
from training.evaluation.metrics import Probabilities, predicted_labels
from training.evaluation.onnx_inference import open_graph
from training.models.build import FULL_SCALE, Network
from training.models.flip_tta import Mirror

INPUT = "image"
OUTPUT = "probabilities"

_OPSET = 18  # the newest that tf2onnx writes


def to_onnx(network: Network) -> bytes:
    """The serialised graph of a network that was trained on pixels scaled to 0…1.

    Where the first layer is a convolution, its weights take in the factor 1/255, so that only a cast is left to do.
    """
    with _folded_scaling(network) as factor:

        @tf.function(input_signature=[tf.TensorSpec((None, *network.input_shape[1:]), tf.uint8, name=INPUT)])  # type: ignore[untyped-decorator]  # TensorFlow is untyped
        def serve(image: Any) -> dict[str, Any]:
            pixels = tf.cast(image, tf.float32)
            return {OUTPUT: network(pixels if factor == 1 else pixels * factor)}

        model, _ = tf2onnx.convert.from_function(serve, input_signature=serve.input_signature, opset=_OPSET)
    _free_batch_axis(model.graph)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


@contextmanager
def _folded_scaling(network: Network) -> Iterator[float]:
    """The factor that raw pixels still need; until it is left, a convolution that comes first has taken it in."""
    first = _first(network)
    if not isinstance(first, keras.layers.Conv2D):
        yield 1 / FULL_SCALE
        return
    kernel, *bias = first.get_weights()
    first.set_weights([(kernel.astype(np.float64) / FULL_SCALE).astype(np.float32), *bias])
    try:
        yield 1.0
    finally:
        first.set_weights([kernel, *bias])


def _first(network: Network) -> Any:
    """The layer that is first to compute something of the pixels."""
    return next(layer for layer in network.layers if not isinstance(layer, (keras.layers.InputLayer, Mirror)))


def _free_batch_axis(graph: Any) -> None:
    """Call the batch axis N on both ends; tf2onnx makes names up."""
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"


TOLERANCE = 1e-5  # float32 sums in another order differ by some 1e-6; a real mistake by 1e-2 and more


@dataclass(frozen=True)
class Parity:
    """How close the two came over how many images."""

    images: int
    tolerance: float
    largest_difference: float
    labels_equal: bool

    def to_json(self) -> dict[str, Any]:
        """The record as it stands in the bundle's metadata."""
        return asdict(self)


@dataclass(frozen=True)
class Exported:
    """A checked graph. `origin` is added to the record of its training, `abstention` to that of its evaluation.

    It has an outlier score where `outlier_above`, the threshold for that, is not None.

    `probabilities` are those that the bundle is evaluated by, of the test split: Keras's, or an 8-bit graph's own;
    `graph_probabilities` are those that the graph computed in ONNX Runtime.
    """

    graph: bytes
    probabilities: Probabilities
    graph_probabilities: Probabilities
    parity: JsonObject
    golden: GoldenSet
    origin: JsonObject = field(default_factory=dict)
    outlier_above: float | None = None
    abstention: JsonObject = field(default_factory=dict)


def check_parity(network: Network, graph: bytes, images: ImageArray, seed: int, verbose: int = 0) -> Exported:
    """Classify test images, noise, black and white with Keras and with the graph; raises ParityFailed."""
    shape = tuple(network.input_shape[1:])
    extremes, drawn = draw_extremes(shape, seed), draw_images(*shape)
    classify = open_graph(graph)
    graph_probabilities, graph_extremes = classify(images), classify(extremes)
    probabilities = predict(network, images, verbose)
    keras_extremes, keras_drawn = np.split(predict(network, np.concatenate([extremes, drawn])), [len(extremes)])
    parity = compare(
        np.concatenate([probabilities, keras_extremes]), np.concatenate([graph_probabilities, graph_extremes])
    )
    return Exported(graph, probabilities, graph_probabilities, parity.to_json(), make_golden(drawn, keras_drawn))


def compare(keras: Probabilities, exported: Probabilities) -> Parity:
    """Both probabilities of the same images; raises ParityFailed where labels differ or probabilities too much."""
    largest = float(np.abs(keras - exported).max())
    different = int((predicted_labels(keras) != predicted_labels(exported)).sum())
    if different or not largest <= TOLERANCE:  # not `>`: NaN must fail too
        raise ParityFailed(
            f"ONNX Runtime does not answer as Keras does: over {len(keras)} images {different} labels differ and "
            f"probabilities by up to {largest:.2g} (allowed {TOLERANCE:.0e}); nothing was published"
        )
    return Parity(len(keras), TOLERANCE, largest, labels_equal=True)
