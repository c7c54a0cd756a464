"""The moving window of a convolution or a pooling node: its size, its steps and what happens at the border."""

from collections.abc import Mapping
from typing import Any

import onnx

from training.foreign.costs import Shapes

_KERNELS = {"Conv": 1, "ConvInteger": 1, "ConvTranspose": 1, "QLinearConv": 3}  # which input the kernel is
_POOLINGS = {"AveragePool", "LpPool", "MaxPool"}
_AUTOMATIC = {"SAME_LOWER": "same", "SAME_UPPER": "same", "VALID": "valid"}


def describe_window(node: onnx.NodeProto, shapes: Shapes) -> dict[str, Any]:
    """Members of the layer's row; none for nodes without a window."""
    if node.op_type in _KERNELS:
        filters, _, *size = shapes[node.input[_KERNELS[node.op_type]]]
        counted = {"filters": shapes[node.output[0]][1]} if node.op_type == "ConvTranspose" else {"filters": filters}
        return {**counted, "kernel_size": tuple(size), **_steps(_attributes(node), len(size))}
    if node.op_type in _POOLINGS:
        size = _attributes(node)["kernel_shape"]
        return {"pool_size": tuple(size), **_steps(_attributes(node), len(size))}
    return {}


def _steps(attributes: Mapping[str, Any], axes: int) -> dict[str, Any]:
    return {"strides": tuple(attributes.get("strides", [1] * axes)), "padding": _padding(attributes)}


def _padding(attributes: Mapping[str, Any]) -> str:
    """Keras's word where the graph says as much, else the zeros on each side: top, left, bottom and right."""
    automatic = _AUTOMATIC.get(attributes.get("auto_pad", b"NOTSET").decode())
    pads = attributes.get("pads", [0])
    return automatic or (",".join(map(str, pads)) if any(pads) else "valid")


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
