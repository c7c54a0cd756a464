"""The outlier score as a second output of a classifier's ONNX graph: nodes are added, none of its own is changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from training.errors import Unfitted
from training.export.outlier_score import ChannelDistances, Distances, OutlierScore

OUTPUT = "outlier_score"
LAST, MIDDLE = "outlier/last", "outlier/middle"  # tensors of the features, [N, dimensions] and [N, channels]

_PREFIX = "outlier/"  # of the names of all nodes and tensors that are added
_SMALLEST = 1e-6
_AXES_ARE_INPUTS = 18  # since this opset, for the reductions used here


def expose_features(graph: bytes, output: str) -> tuple[bytes, tuple[str, ...]]:
    """The graph with the features as its outputs, and their names; raises Unfitted where it has no such layers."""
    builder = _Builder(graph, output)
    names = builder.add_features()
    del builder.model.graph.output[:]
    builder.model.graph.output.extend(
        helper.make_tensor_value_info(each, TensorProto.FLOAT, [None, None]) for each in names
    )
    return builder.serialize(), names


def append_score(graph: bytes, output: str, score: OutlierScore) -> bytes:
    """The graph with OUTPUT, float32 [N], beside `output`; what an earlier call has added is replaced."""
    builder = _Builder(graph, output)
    builder.add_features()
    builder.add_score(score)
    return builder.serialize()


def append_energy(graph: bytes, output: str) -> bytes:
    """The graph with OUTPUT, the negative energy −log Σ exp of its logits, for one that has learned from outliers.

    Liu et al., "Energy-based Out-of-distribution Detection", NeurIPS 2020.
    """
    builder = _Builder(graph, output)
    builder.add_energy()
    return builder.serialize()


class _Builder:
    """A graph that nodes are added to."""

    def __init__(self, graph: bytes, output: str) -> None:
        self.model = onnx.load_model_from_string(graph)
        _remove_score(self.model)
        self._head = _find_head(self.model, output)
        self._opset = next(each.version for each in self.model.opset_import if each.domain in ("", "ai.onnx"))
        self._rows = next(each for each in self.model.graph.output if each.name == output).type.tensor_type.shape.dim[0]

    def serialize(self) -> bytes:
        onnx.checker.check_model(self.model)
        return bytes(self.model.SerializeToString())

    def add_features(self) -> tuple[str, ...]:
        """Add LAST and, where there are two convolutions at least, MIDDLE."""
        self._average(self._head.features, LAST)
        channels = _middle_activations(self.model)
        if channels is None:
            return (LAST,)
        pooled = self._node("GlobalAveragePool", [channels], "pooled")
        self._average(self._node("Flatten", [pooled], "channels", axis=1), MIDDLE)
        return LAST, MIDDLE

    def add_score(self, score: OutlierScore) -> None:
        """Add the nodes from the features to OUTPUT."""
        terms = [self._squared_distance(score.distances)]
        if score.distances.channels is not None:
            terms.append(self._channel_distance(score.distances.channels))
        scaled = [self._scaled(*each) for each in zip(terms, score.scales, strict=True)]
        self._declare("Sum", scaled)

    def add_energy(self) -> None:
        """Add the nodes from the logits to OUTPUT."""
        self._declare("Neg", [self._reduce("ReduceLogSumExp", self._head.logits, "energy")])

    def _declare(self, operator: str, inputs: Sequence[str]) -> None:
        """Add the node that gives OUTPUT, and the output itself."""
        self._node(operator, inputs, OUTPUT)
        shape = [self._rows.dim_value or self._rows.dim_param or None]
        self.model.graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, shape))

    def _squared_distance(self, distances: Distances) -> str:
        """[N], as `outlier_score.log_distances` computes it: the means' part is one product for all classes."""
        norm = self._reduce("ReduceL2", LAST, "norm", keepdims=1)
        bounded = self._node("Max", [norm, self._constant("smallest", _SMALLEST)], "bounded_norm")
        points, means = self._node("Div", [LAST, bounded], "normalized"), distances.means
        if distances.whitening is not None:
            points = self._node("MatMul", [points, self._constant("whitening", distances.whitening)], "points")
            means = means @ distances.whitening
        products = self._node("MatMul", [points, self._constant("means", -2 * means.T)], "products")
        by_class = self._node("Add", [products, self._constant("squares", (means**2).sum(axis=1))], "by_class")
        nearest = self._reduce("ReduceMin", by_class, "nearest")
        return self._node("Add", [self._reduce("ReduceSumSquare", points, "length"), nearest], "distance")

    def _channel_distance(self, distances: ChannelDistances) -> str:
        offsets = self._node("Sub", [MIDDLE, self._constant("center", distances.center)], "offsets")
        whitening = self._constant("channel_whitening", distances.whitening)
        return self._reduce(
            "ReduceSumSquare", self._node("MatMul", [offsets, whitening], "whitened"), "channel_distance"
        )

    def _scaled(self, squares: str, scale: tuple[float, float]) -> str:
        mean, deviation = scale
        bounded = self._node("Max", [squares, self._constant(f"{squares}_smallest", _SMALLEST)], f"{squares}_bounded")
        above = self._node(
            "Sub",
            [self._node("Log", [bounded], f"{squares}_log"), self._constant(f"{squares}_mean", mean)],
            f"{squares}_above",
        )
        return self._node("Div", [above, self._constant(f"{squares}_deviation", deviation)], f"{squares}_scaled")

    def _average(self, views: str, target: str) -> None:
        """Add copies of the head's averaging nodes that make `target` of a tensor of all views."""
        renamed = {self._head.dense: views}
        for node in self._head.averaging:
            copy = NodeProto()
            copy.CopyFrom(node)
            copy.name = f"{_PREFIX}{target}/{node.name or node.output[0]}"
            copy.input[:] = [renamed.get(name, name) for name in node.input]
            for place, name in enumerate(node.output):
                renamed[name] = copy.output[place] = f"{_PREFIX}{target}/{name}"
            self.model.graph.node.append(copy)
        self.model.graph.node.append(
            helper.make_node("Identity", [renamed[self._head.logits]], [target], name=f"{_PREFIX}{target}/identity")
        )

    def _reduce(self, operator: str, source: str, target: str, keepdims: int = 0) -> str:
        """Reduce the columns."""
        if self._opset < _AXES_ARE_INPUTS:
            return self._node(operator, [source], target, axes=[1], keepdims=keepdims)
        axes = self._constant("axes", np.array([1], np.int64))
        return self._node(operator, [source, axes], target, keepdims=keepdims)

    def _node(self, operator: str, inputs: Sequence[str], target: str, **attributes: Any) -> str:
        name = target if target == OUTPUT or target.startswith(_PREFIX) else f"{_PREFIX}{target}"
        self.model.graph.node.append(
            helper.make_node(operator, list(inputs), [name], name=f"{_PREFIX}{operator}/{target}", **attributes)
        )
        return name

    def _constant(self, name: str, value: float | NDArray[np.generic]) -> str:
        """The name of a stored tensor, float32 unless it holds int64; one of the same name is stored once."""
        array = np.asarray(value)
        name = name if name.startswith(_PREFIX) else f"{_PREFIX}{name}"
        if name not in {each.name for each in self.model.graph.initializer}:
            stored = array if array.dtype == np.int64 else array.astype(np.float32)
            self.model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(stored), name))
        return name


def _middle_activations(model: ModelProto) -> str | None:
    """What the middle one of the convolutions takes, [M, channels, height, width]; None where it takes the image."""
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    return convolutions[len(convolutions) // 2].input[0] if len(convolutions) > 1 else None


def _remove_score(model: ModelProto) -> None:
    """Remove what `append_score` has added."""
    graph = model.graph
    for each in [node for node in graph.node if node.name.startswith(_PREFIX)]:
        graph.node.remove(each)
    for each in [tensor for tensor in graph.initializer if tensor.name.startswith(_PREFIX)]:
        graph.initializer.remove(each)
    for each in [value for value in graph.output if value.name == OUTPUT]:
        graph.output.remove(each)


_PASSED = {"Softmax", "Identity"}  # between the logits and the output
_AVERAGED = {"Split", "Add", "Sum", "Mean", "Mul", "Div"}  # by which several views of an image become one

Shape = tuple[int, ...]


@dataclass(frozen=True)
class _Head:
    """Names of tensors: `features` [M, dimensions] and `dense` [M, classes] of all views, `logits` [N, classes].

    `averaging` are the nodes, in their order, that make `logits` of `dense`. They are linear and treat all columns
    alike, so they average features as well. Where there are none, both names are the same.
    """

    features: str
    dimensions: int
    dense: str
    logits: str
    averaging: tuple[NodeProto, ...]


def _find_head(model: ModelProto, output: str) -> _Head:
    """The head of the graph that gives `output`; raises Unfitted for a graph without such an end."""
    graph = _Tensors(model)
    logits = graph.behind(output)
    averaging: list[NodeProto] = []
    layers: dict[str, tuple[str, int]] = {}
    pending = [logits]
    while pending:
        name = pending.pop()
        layer, node = graph.dense_layer(name), graph.producers.get(name)
        if layer is not None:
            layers[name] = layer
        elif node is None or not graph.averages(node):
            raise Unfitted(
                f"the graph's output {output!r} is not made by a dense layer (Gemm, or MatMul and Add): it has no "
                "features to compute an outlier score of"
            )
        elif node not in averaging:
            averaging.append(node)
            pending += graph.computed_inputs(node)
    if len(layers) != 1:
        raise Unfitted(f"the graph's output {output!r} is made by {len(layers)} dense layers, not by one")
    ((dense, (features, dimensions)),) = layers.items()
    return _Head(features, dimensions, dense, logits, tuple(each for each in model.graph.node if each in averaging))


class _Tensors:
    """The nodes of a graph by the tensors that they give, and the shapes of its weights."""

    def __init__(self, model: ModelProto) -> None:
        self.producers: dict[str, NodeProto] = {name: node for node in model.graph.node for name in node.output}
        self._weights: dict[str, Shape] = {each.name: tuple(each.dims) for each in model.graph.initializer}

    def behind(self, name: str) -> str:
        """The tensor that becomes this one without a change of order."""
        node = self.producers.get(name)
        return name if node is None or node.op_type not in _PASSED else self.behind(node.input[0])

    def computed_inputs(self, node: NodeProto) -> list[str]:
        """The inputs that depend on the image."""
        return [name for name in node.input if name and self._weight(name) is None]

    def averages(self, node: NodeProto) -> bool:
        """Whether a node treats all columns alike: no operand but single numbers, and splits between rows only."""
        if node.op_type == "Split":
            return _integer(node, "axis") == 0
        shapes = [self._weight(name) for name in node.input]
        return node.op_type in _AVERAGED and all(set(shape) <= {1} for shape in shapes if shape is not None)

    def dense_layer(self, name: str) -> tuple[str, int] | None:
        """Features and their number of the dense layer that gives a tensor; None where something else gives it."""
        node = self.producers.get(name)
        if node is not None and node.op_type == "Add":
            computed = self.computed_inputs(node)
            node = self.producers.get(computed[0]) if len(computed) == 1 else None
        if node is None or node.op_type not in {"MatMul", "Gemm"} or _integer(node, "transA"):
            return None
        shape = self._weight(node.input[1])
        return None if shape is None or len(shape) != 2 else (node.input[0], shape[_integer(node, "transB")])

    def _weight(self, name: str) -> Shape | None:
        """The shape of a tensor that is the same for every image; None of one that is computed."""
        node = self.producers.get(name)
        if node is None:
            return self._weights.get(name)
        if node.op_type == "Constant":
            value = next((each.t for each in node.attribute if each.name == "value"), None)
            return () if value is None else tuple(numpy_helper.to_array(value).shape)
        return self._weight(node.input[0]) if node.op_type == "DequantizeLinear" else None


def _integer(node: NodeProto, attribute: str) -> int:
    return next((int(each.i) for each in node.attribute if each.name == attribute), 0)
