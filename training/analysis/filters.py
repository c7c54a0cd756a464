"""The first convolution of a graph: its filters, and what they answer to an image. ONNX Runtime computes both.

Filters are read as the graph's own values, too, so that it does not matter where an exporter keeps them: stored as they
are, as constants, or as integers that are turned into floats.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
import onnx.inliner
import onnxruntime
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, Preprocessing
from modelrepo.reader import Bundle
from preprocessing.normalize import normalize
from training.data.splits import Images
from training.errors import InvalidModel

Values = NDArray[np.float32]

_ACTIVATIONS = {"Relu", "Clip", "LeakyRelu", "PRelu", "Elu", "Selu", "Sigmoid", "Tanh", "HardSwish", "Gelu", "Softplus"}
# What exporters and quantisers put between a convolution and its activation.
_BETWEEN = {"Add", "BatchNormalization", "Cast", "DequantizeLinear", "Identity", "QuantizeLinear"}


@dataclass(frozen=True)
class FirstConvolution:
    """Its filters, [filters, channels, height, width], and its activation's name, None where it has none at once.

    Channels are in the order in which the graph takes them. `maps` are what comes out of it for one image, behind the
    activation, [filters, height, width].
    """

    name: str
    filters: Values
    activation: str | None
    maps: Values


def look(bundle: Bundle, image: Images | None = None) -> FirstConvolution:
    """The first convolution and its answer to an image, uint8 [height, width, channels], black by default.

    Raises InvalidModel where the graph has no convolution of images.
    """
    spec = bundle.metadata.input
    model = _load(bundle)
    node = next((node for node in model.graph.node if node.op_type == "Conv"), None)
    if node is None:
        raise InvalidModel(f"{bundle.path} has no convolution in its graph: there are no filters to draw")
    *_, (name, activation) = _follow(model.graph, node)
    shown = np.zeros((spec.height, spec.width, spec.channels), np.uint8) if image is None else image
    filters, maps = _run(model, (node.input[1], name), shown, spec, bundle.metadata.preprocessing)
    if filters.ndim != 4:
        raise InvalidModel(
            f"{bundle.path}: its first convolution is not one of images, but has filters of {filters.shape}"
        )
    return FirstConvolution(node.name or node.output[0], filters, activation, maps[0])


def _load(bundle: Bundle) -> onnx.ModelProto:
    model = onnx.load(bundle.model)
    return onnx.inliner.inline_local_functions(model) if model.functions else model


def _follow(graph: onnx.GraphProto, convolution: onnx.NodeProto) -> Iterator[tuple[str, str | None]]:
    """Values behind the convolution up to its activation, if that comes before anything else does."""
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


def _run(
    model: onnx.ModelProto, names: tuple[str, ...], image: Images, spec: InputSpec, rules: Preprocessing
) -> list[Values]:
    """Values of the graph for an image, whose types ONNX Runtime finds by itself."""
    told = onnx.ModelProto()
    told.CopyFrom(model)
    del told.graph.output[:]
    told.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # as it stands in the file
    session = onnxruntime.InferenceSession(told.SerializeToString(), options, providers=["CPUExecutionProvider"])
    batch = np.repeat(image[None], spec.batch or 1, axis=0)
    values = session.run(list(names), {spec.name: normalize(batch, spec, rules)})
    return [np.asarray(value, np.float32) for value in values]
