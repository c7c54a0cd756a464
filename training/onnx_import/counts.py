"""Counts of the parameters and multiply-adds of a graph's nodes.

Multiply-adds follow the same rule as for Keras's layers: one for every weight that an output value depends on.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import onnx
from onnx import TensorProto

Shapes = Mapping[str, tuple[int, ...]]
Rule = Callable[[onnx.NodeProto, Shapes], int]

_FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}
# Inputs that are weights, where float tensors are settings, such as the bounds of a clip, or weights are integers.
_WEIGHT_INPUTS: Mapping[str, tuple[int, ...]] = {
    "Clip": (),
    "Dropout": (),
    "Pad": (),
    "Resize": (),
    "Upsample": (),
    "QuantizeLinear": (),
    "ConvInteger": (1,),
    "DequantizeLinear": (0,),
    "MatMulInteger": (1,),
    "QGemm": (3, 6),
    "QLinearConv": (3, 8),
    "QLinearMatMul": (3,),
}
_STATISTICS = (3, 4)  # of a BatchNormalization: mean and variance, which are not trained


def multiply_adds(node: onnx.NodeProto, shapes: Shapes) -> int:
    """How many a node computes for a batch with values of these shapes, by name; 0 for operations without weights."""
    rule = _RULES.get(node.op_type)
    return 0 if rule is None else rule(node, shapes)


@dataclass(frozen=True)
class Weights:
    """How many parameters a node has; a tensor that several nodes share counts for the first."""

    total: int
    non_trainable: int


def count_weights(graph: onnx.GraphProto) -> Iterator[Weights]:
    """The parameters of each node, in the graph's order."""
    stored = {tensor.name: tensor for tensor in _stored(graph)}
    for node in graph.node:
        own = {place: stored.pop(node.input[place]) for place in _places(node, stored)}
        sizes = {place: math.prod(tensor.dims) for place, tensor in own.items()}
        statistics = _STATISTICS if node.op_type == "BatchNormalization" else ()
        yield Weights(sum(sizes.values()), sum(size for place, size in sizes.items() if place in statistics))


def _convolution(kernel: int) -> Rule:
    """Every place of the output uses the kernel [filters, channels / groups, height, width] once."""

    def rule(node: onnx.NodeProto, shapes: Shapes) -> int:
        images, _, *places = shapes[node.output[0]]
        return images * math.prod(places) * math.prod(shapes[node.input[kernel]])

    return rule


def _transposed_convolution(node: onnx.NodeProto, shapes: Shapes) -> int:
    """Every place of the input uses the kernel [channels, filters / groups, height, width] once."""
    images, _, *places = shapes[node.input[0]]
    return images * math.prod(places) * math.prod(shapes[node.input[1]])


def _product(node: onnx.NodeProto, shapes: Shapes) -> int:
    """Every value of the output is the sum over the first operand's last axis, or its first where it is transposed."""
    transposed = any(each.name == "transA" and each.i for each in node.attribute)
    return math.prod(shapes[node.output[0]]) * shapes[node.input[0]][0 if transposed else -1]


_RULES: Mapping[str, Rule] = {
    "Conv": _convolution(1),
    "ConvInteger": _convolution(1),
    "QLinearConv": _convolution(3),
    "ConvTranspose": _transposed_convolution,
    "Gemm": _product,
    "MatMul": _product,
    "MatMulInteger": _product,
    "QGemm": _product,
    "QLinearMatMul": _product,
}


def _stored(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    """Initializers, and the constants that some exporters write as nodes instead."""
    yield from graph.initializer
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensor = TensorProto()
            tensor.CopyFrom(node.attribute[0].t)
            tensor.name = node.output[0]
            yield tensor


def _places(node: onnx.NodeProto, stored: Mapping[str, TensorProto]) -> list[int]:
    """The positions of inputs that are weights: stored tensors that are float and not scalar, or those of the table."""
    first = {name: place for place, name in reversed(list(enumerate(node.input)))}
    places = [place for name, place in first.items() if name in stored]
    if node.op_type in _WEIGHT_INPUTS:
        return [place for place in places if place in _WEIGHT_INPUTS[node.op_type]]
    return [place for place in places if _is_weight(stored[node.input[place]])]


def _is_weight(tensor: TensorProto) -> bool:
    return tensor.data_type in _FLOATS and len(tensor.dims) > 0
