"""Starting from an earlier network instead of from random weights: from a `.keras` file or from a bundle's graph.

The converter to ONNX folds batch normalisation into its neighbours, each in another way and some of it for good: what a
network learns with is not in the graph any more. So only networks without it are read back from a bundle, and its
golden images prove that the weights are right.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.utils import Extractor

from modelrepo.reader import Bundle, read_bundle
from training.engine.input_pipeline import inference_batches
from training.errors import InvalidNetwork, ParityFailed
from training.evaluation.verify import replay_bundle
from training.models.architectures import Architecture
from training.models.build import FULL_SCALE, Network, build
from training.models.flip_tta import Mirror, MirrorAverage
from training.models.saving import load_network
from training.models.summary import table_layers

# The layers of flip test-time augmentation have no weights; a file may have them, a network in training has not.
_WITHOUT_WEIGHTS = (keras.layers.InputLayer, Mirror, MirrorAverage)


@dataclass(frozen=True)
class Pretrained:
    """An earlier network, the names of its classes where they are known, and its record for the metadata."""

    network: Network
    class_names: tuple[str, ...] | None = None
    origin: dict[str, Any] = field(default_factory=dict)


def load_pretrained(path: Path, architecture: Architecture) -> Pretrained:
    """A bundle's folder or a `.keras` file; raises InvalidNetwork or what `read_bundle` raises."""
    if path.is_dir():
        bundle = read_bundle(path)
        metadata = bundle.metadata
        origin = {"name": metadata.name, "version": metadata.version, "sha256": bundle.digest}
        return Pretrained(load_bundle(bundle, architecture), metadata.labels, origin)
    network = load_network(path)
    return Pretrained(network, origin={"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})


def transfer_weights(start: Pretrained, network: Network, class_names: tuple[str, ...], *, freeze: bool) -> None:
    """Set a new network's weights to the earlier one's; raises InvalidNetwork where the two are not alike.

    The last layer that has weights, the head, keeps its random weights where its classes are others: other names, or,
    where names are not known, another number. With `freeze` only the head is trained.
    """
    if network.input_shape[1:] != start.network.input_shape[1:]:
        raise InvalidNetwork(
            f"the network to start from takes images of {_size(start.network)}, the recipe's {_size(network)}: "
            "take a recipe whose images have that size"
        )
    (body, head), (earlier_body, earlier_head) = _split_head(network), _split_head(start.network)
    if _signatures(body) != _signatures(earlier_body) or list(map(type, head)) != list(map(type, earlier_head)):
        raise InvalidNetwork(
            "the network to start from has another architecture than the recipe's: take its own recipe"
        )
    for layer, earlier in zip(body, earlier_body, strict=True):
        layer.set_weights(earlier.get_weights())
        layer.trainable = not freeze
    if _signatures(head) == _signatures(earlier_head) and start.class_names in (None, class_names):
        head[0].set_weights(earlier_head[0].get_weights())


def _split_head(network: Network) -> tuple[list[Any], list[Any]]:
    """The layers before the head, and the head with what follows it, such as a softmax."""
    layers = [layer for layer in network.layers if not isinstance(layer, _WITHOUT_WEIGHTS)]
    head = max((position for position, layer in enumerate(layers) if layer.weights), default=len(layers))
    return layers[:head], layers[head:]


def _signatures(layers: list[Any]) -> list[tuple[Any, ...]]:
    return [(type(layer), layer.output.shape, [weight.shape for weight in layer.weights]) for layer in layers]


def _size(network: Network) -> str:
    return "×".join(map(str, network.input_shape[1:]))


Array = NDArray[Any]


def load_bundle(bundle: Bundle, architecture: Architecture) -> Network:
    """The network that the bundle's graph was exported from, of this architecture; raises InvalidNetwork."""
    _check_has_weights(bundle)
    metadata = bundle.metadata
    shape = metadata.input.height, metadata.input.width, metadata.input.channels
    network = build(architecture, shape, len(metadata.labels), metadata.name)
    if [_row(layer) for layer in table_layers(network)] != [_row(layer) for layer in metadata.layers]:
        raise InvalidNetwork(f"{bundle.path} has another architecture: choose the recipe that it was trained by")
    graph = Extractor(onnx.load(bundle.model)).extract_model([metadata.input.name], [metadata.output.name]).graph
    _set_weights(network, graph)
    _check_golden(network, bundle)
    return network


def _check_has_weights(bundle: Bundle) -> None:
    """Checked first: a graph that has lost its weights differs from the architecture's in its table, too."""
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


def _row(layer: Any) -> tuple[Any, ...]:
    return layer.type, tuple(layer.output_shape), layer.parameters, layer.strides, layer.padding


def _set_weights(network: Network, graph: Any) -> None:
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


def _check_golden(network: Network, bundle: Bundle) -> None:
    try:
        replay_bundle(bundle, lambda images: np.asarray(network.predict(inference_batches(images), verbose=0)))
    except ParityFailed as error:
        raise InvalidNetwork(f"the weights in the graph of {bundle.path} cannot be read back: {error}") from error
