"""Keras to ONNX: a graph that takes raw uint8 pixels and returns probabilities, its batch axis free."""

from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from training.models.build import Network
from training.models.flip_tta import Mirror
from training.models.rescaling import FULL_SCALE

INPUT = "image"
OUTPUT = "probabilities"

_OPSET = 18  # the newest that tf2onnx writes


def to_onnx(network: Network) -> bytes:
    """The serialised graph of a network that was trained on pixels scaled to 0…1.

    Where the first layer is a convolution, its weights take in the factor 1/255, so that only a cast is left to do.
    """
    apply, factor = _fold_scaling(network)

    @tf.function(input_signature=[tf.TensorSpec((None, *network.input_shape[1:]), tf.uint8, name=INPUT)])  # type: ignore[untyped-decorator]  # TensorFlow is untyped
    def serve(image: Any) -> dict[str, Any]:
        pixels = tf.cast(image, tf.float32)
        return {OUTPUT: apply(pixels if factor == 1 else pixels * factor)}

    model, _ = tf2onnx.convert.from_function(serve, input_signature=serve.input_signature, opset=_OPSET)
    _free_batch_axis(model.graph)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _fold_scaling(network: Network) -> tuple[Network, float]:
    """A network for raw pixels and the factor that they still need."""
    if not isinstance(_first(network), keras.layers.Conv2D):
        return network, 1 / FULL_SCALE
    folded = keras.models.clone_model(network)
    folded.set_weights(network.get_weights())
    first = _first(folded)
    kernel, *bias = first.get_weights()
    first.set_weights([(kernel.astype(np.float64) / FULL_SCALE).astype(np.float32), *bias])
    return folded, 1.0


def _first(network: Network) -> Any:
    """The layer that is first to compute something of the pixels."""
    return next(layer for layer in network.layers if not isinstance(layer, (keras.layers.InputLayer, Mirror)))


def _free_batch_axis(graph: Any) -> None:
    """Call the batch axis N on both ends; tf2onnx makes names up."""
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
