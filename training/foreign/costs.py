"""Multiply-adds of a node, by the same rule as for Keras's layers: one for every weight that an output value sees."""

import math
from collections.abc import Callable, Mapping

import onnx

Shapes = Mapping[str, tuple[int, ...]]
Rule = Callable[[onnx.NodeProto, Shapes], int]


def multiply_adds(node: onnx.NodeProto, shapes: Shapes) -> int:
    """For the whole batch that the shapes are of; 0 for operations that multiply nothing by weights."""
    rule = _RULES.get(node.op_type)
    return 0 if rule is None else rule(node, shapes)


def _convolution(kernel: int) -> Rule:
    """Every place of the output sees the kernel [filters, channels / groups, height, width] once."""

    def rule(node: onnx.NodeProto, shapes: Shapes) -> int:
        images, _, *places = shapes[node.output[0]]
        return images * math.prod(places) * math.prod(shapes[node.input[kernel]])

    return rule


def _transposed(node: onnx.NodeProto, shapes: Shapes) -> int:
    """Every place of the input is spread out by the kernel [channels, filters / groups, height, width] once."""
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
    "ConvTranspose": _transposed,
    "Gemm": _product,
    "MatMul": _product,
    "MatMulInteger": _product,
    "QGemm": _product,
    "QLinearMatMul": _product,
}
