"""A temperature put into a Keras network's own weights, so that it costs nothing when the network answers."""

from typing import Any

import keras
import numpy as np

from training.errors import InvalidNetwork
from training.models.build import Network
from training.models.flip_tta import MirrorAverage


def can_apply_temperature(network: Network) -> bool:
    """Whether the network ends in a Dense layer with softmax, or in a linear one and a softmax over the classes."""
    return _find_logits(network) is not None


def apply_temperature(network: Network, temperature: float) -> None:
    """Divide the logits by a temperature (above 0) in place: the kernel and bias of the dense layer that gives them.

    Raises InvalidNetwork where there is no such layer, and has then changed nothing.
    """
    dense = _find_logits(network)
    if dense is None:
        kinds = " and ".join(type(layer).__name__ for layer in network.layers[-2:])
        raise InvalidNetwork(
            f"the network ends in {kinds}: its probabilities can be calibrated only where it ends in a Dense layer "
            "with softmax, or in a Dense layer without activation and a softmax"
        )
    dense.set_weights([(each.astype(np.float64) / temperature).astype(each.dtype) for each in dense.get_weights()])


def _find_logits(network: Network) -> Any:
    """The layer whose kernel and bias make the logits; None where there is none."""
    # A mean of logits is divided where they are.
    layers: list[Any] = [None, *(layer for layer in network.layers if not isinstance(layer, MirrorAverage))]
    before, last = layers[-2:]
    if len(network.outputs) != 1:
        return None
    # Of one output, Keras lists its layer last and that layer's source before it.
    if _is_dense(last, "softmax"):
        return last
    return before if _is_softmax(last) and _is_dense(before, "linear") else None


def _is_dense(layer: Any, activation: str) -> bool:
    return isinstance(layer, keras.layers.Dense) and layer.activation is keras.activations.get(activation)


def _is_softmax(layer: Any) -> bool:
    if isinstance(layer, keras.layers.Softmax):
        return layer.axis in (-1, layer.output.ndim - 1)
    return isinstance(layer, keras.layers.Activation) and layer.activation is keras.activations.softmax
