"""The first convolution of a bundle's graph: its filters, and its activation maps for an image, by ONNX Runtime.

Filters are computed as values of the graph, too, so it does not matter how an exporter stores them: as initializers, as
constants, or as integers that are dequantized.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
import onnx.inliner
from numpy.typing import NDArray

from modelrepo.reader import Bundle
from preprocessing.pipeline import normalize
from training.data.splits import Images
from training.errors import InvalidModel
from training.evaluation.onnx_inference import compute_values

Values = NDArray[np.float32]

_ACTIVATIONS = {"Relu", "Clip", "LeakyRelu", "PRelu", "Elu", "Selu", "Sigmoid", "Tanh", "HardSwish", "Gelu", "Softplus"}
# What exporters and quantizers put between a convolution and its activation.
_BETWEEN = {"Add", "BatchNormalization", "Cast", "DequantizeLinear", "Identity", "QuantizeLinear"}


@dataclass(frozen=True)
class FirstConvolution:
    """Its node's name, filters, [filters, channels, height, width], and activation maps, [filters, height, width].

    Channels are in the order in which the graph takes them. The maps are after the activation; `activation` is None
    where none follows the convolution, and then they are before any.
    """

    name: str
    filters: Values
    activation: str | None
    maps: Values


def read_first_convolution(bundle: Bundle, image: Images | None = None) -> FirstConvolution:
    """The first convolution and its maps for an image, uint8 [height, width, channels], black by default.

    Raises InvalidModel where the graph has no convolution of images.
    """
    spec = bundle.metadata.input
    model = _load(bundle)
    node = next((node for node in model.graph.node if node.op_type == "Conv"), None)
    if node is None:
        raise InvalidModel(f"{bundle.path} has no convolution in its graph: there are no filters to draw")
    *_, (output, activation) = _follow(model.graph, node)
    given = np.zeros((spec.height, spec.width, spec.channels), np.uint8) if image is None else image
    batch = normalize(np.repeat(given[None], spec.batch or 1, axis=0), spec, bundle.metadata.preprocessing)
    values = compute_values(model, [node.input[1], output], spec.name, [batch])[0]
    filters, maps = (np.asarray(value, np.float32) for value in values)
    if filters.ndim != 4:
        raise InvalidModel(
            f"{bundle.path}: its first convolution is not one of images, but has filters of {filters.shape}"
        )
    return FirstConvolution(node.name or node.output[0], filters, activation, maps[0])


def _load(bundle: Bundle) -> onnx.ModelProto:
    model = onnx.load(bundle.model)
    return onnx.inliner.inline_local_functions(model) if model.functions else model


def _follow(graph: onnx.GraphProto, convolution: onnx.NodeProto) -> Iterator[tuple[str, str | None]]:
    """The convolution's output, then its activation's where only such nodes as _BETWEEN lie before it."""
    stored = {tensor.name for tensor in graph.initializer} | {
        node.output[0] for node in graph.node if node.op_type == "Constant"
    }
    name: str = convolution.output[0]
    yield name, None
    while True:
        users = [node for node in graph.node if name in node.input]
        if len(users) != 1 or not stored.issuperset({*users[0].input} - {name, ""}):
            return
        name, kind = users[0].output[0], users[0].op_type
        if kind in _ACTIVATIONS:
            yield name, kind
        if kind not in _BETWEEN:
            return
