"""The outlier score as a second output of a classifier's ONNX graph: nodes are added, none of its own is changed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from training.export.classifier_head import Head, find_head
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
        self._head = find_head(self.model, output)
        self._opset = next(each.version for each in self.model.opset_import if each.domain in ("", "ai.onnx"))
        self._rows = next(each for each in self.model.graph.output if each.name == output).type.tensor_type.shape.dim[0]

    def serialize(self) -> bytes:
        onnx.checker.check_model(self.model)
        return bytes(self.model.SerializeToString())

    def add_features(self) -> tuple[str, ...]:
        """Add LAST and, where there are two convolutions at least, MIDDLE."""
        self._average(self._head, self._head.features, LAST)
        channels = _middle_activations(self.model)
        if channels is None:
            return (LAST,)
        pooled = self._node("GlobalAveragePool", [channels], "pooled")
        self._average(self._head, self._node("Flatten", [pooled], "channels", axis=1), MIDDLE)
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

    def _average(self, head: Head, views: str, target: str) -> None:
        """Add copies of the head's averaging nodes that make `target` of a tensor of all views."""
        renamed = {head.dense: views}
        for node in head.averaging:
            copy = NodeProto()
            copy.CopyFrom(node)
            copy.name = f"{_PREFIX}{target}/{node.name or node.output[0]}"
            copy.input[:] = [renamed.get(name, name) for name in node.input]
            for place, name in enumerate(node.output):
                renamed[name] = copy.output[place] = f"{_PREFIX}{target}/{name}"
            self.model.graph.node.append(copy)
        self.model.graph.node.append(
            helper.make_node("Identity", [renamed[head.logits]], [target], name=f"{_PREFIX}{target}/identity")
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
