"""Weights read back from a bundle's graph into the Keras network that it was exported from.

The converter folds batch normalisation into its neighbours, each in another way and some of it for good: what a network
learns with is not in the graph any more. So only networks without it are read back, and the golden images prove it.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from modelrepo.reader import Bundle
from training.architectures import Architecture
from training.errors import InvalidNetwork, ParityFailed
from training.feeding import look
from training.layertable import table_layers
from training.networks import Network, build
from training.scaling import FULL_SCALE
from training.verification import replay_bundle

Array = NDArray[Any]


def load_bundle(bundle: Bundle, architecture: Architecture) -> Network:
    """The network that the bundle's graph was exported from, of this architecture; raises InvalidNetwork."""
    _require_weights(bundle)
    told = bundle.metadata
    shape = told.input.height, told.input.width, told.input.channels
    network = build(architecture, shape, len(told.labels), told.name)
    if [_look(row) for row in table_layers(network)] != [_look(row) for row in told.layers]:
        raise InvalidNetwork(f"{bundle.path} has another architecture: choose the recipe that it was trained by")
    _fill(network, onnx.load(bundle.model).graph)
    _prove(network, bundle)
    return network


def _require_weights(bundle: Bundle) -> None:
    """Looked for first: a graph that has lost its weights differs from the architecture's in its table, too."""
    if "quantisation" in bundle.metadata.training:
        raise InvalidNetwork(
            f"{bundle.path} has its weights in eight bits, too coarse to learn on from: start from the float32 version "
            "or the .keras file that it was made from"
        )
    if any(layer.type == "BatchNormalization" for layer in bundle.metadata.layers):
        raise InvalidNetwork(
            f"{bundle.path} has batch normalisation, which its graph has lost: train it with --save FILE.keras and "
            "start from that file"
        )


def _look(row: Any) -> tuple[Any, ...]:
    return row.type, tuple(row.output_shape), row.parameters, row.strides, row.padding


def _fill(network: Network, graph: Any) -> None:
    """Kernels stand in the graph in the order in which they are applied; a bias of zeros may be missing."""
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = [node for node in graph.node if node.op_type in ("Conv", "MatMul") and node.input[1] in stored]
    layers = [layer for layer in network.layers if layer.weights]
    for position, (layer, node) in enumerate(zip(layers, nodes, strict=True)):
        kernel, bias = stored[node.input[1]], _bias(graph, node, stored)
        if node.op_type == "Conv":
            kernel = kernel.transpose(2, 3, 1, 0)  # OIHW, as ONNX has it, to Keras's HWIO
            kernel = kernel * np.float32(1 if position else FULL_SCALE)  # the export has put the scaling there
        layer.set_weights([kernel, np.zeros(kernel.shape[-1], np.float32) if bias is None else bias])


def _bias(graph: Any, node: Any, stored: dict[str, Array]) -> Array | None:
    if node.op_type == "Conv":
        return stored[node.input[2]] if len(node.input) > 2 else None
    added = [other.input[1] for other in graph.node if other.op_type == "Add" and other.input[0] == node.output[0]]
    return stored[added[0]] if added else None


def _prove(network: Network, bundle: Bundle) -> None:
    try:
        replay_bundle(bundle, lambda images: np.asarray(network.predict(look(images), verbose=0)))
    except ParityFailed as error:
        raise InvalidNetwork(f"the weights in the graph of {bundle.path} cannot be read back: {error}") from error
