"""Networks with the tiny network's signature that never end, or want more memory than there is."""

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper

from tests.support.bundles.special_networks import with_tiny_network

FOREVER = np.iinfo(np.int64).max


def endless_graph() -> bytes:
    """A Loop that counts its images' brightness for ever."""
    return with_tiny_network(_loop(), forever=np.array(FOREVER), go_on=np.array(True), one=np.array([1]))


def growing_graph() -> bytes:
    """A Loop for ever that keeps a megabyte of each round."""
    return with_tiny_network(
        _loop(keep=True),
        forever=np.array(FOREVER),
        go_on=np.array(True),
        one=np.array([1]),
        megabyte=np.array([1 << 18]),
    )


def huge_graph(side: int = 1 << 20) -> bytes:
    """One tensor of `side` × `side` numbers, 4 TB by default."""
    nodes = [
        helper.make_node("ConstantOfShape", ["sides"], ["huge"]),
        helper.make_node("ReduceSum", ["huge", "axes"], ["all"], keepdims=0),
        helper.make_node("Mul", ["all", "zero"], ["nothing"]),
    ]
    return with_tiny_network(nodes, sides=np.array([side, side]), axes=np.array([0, 1]), zero=np.zeros(1, np.float32))


def _loop(*, keep: bool = False) -> list[NodeProto]:
    """Nodes that make `nothing`, a number, by a Loop over what the image has."""
    outputs = ["sum", *(["kept"] if keep else [])]
    return [
        helper.make_node("ReduceMax", ["pixels"], ["brightness"], keepdims=0),
        helper.make_node("Loop", ["forever", "go_on", "brightness"], outputs, body=_body(keep=keep)),
        helper.make_node("Reshape", ["sum", "one"], ["nothing"]),
    ]


def _body(*, keep: bool) -> GraphProto:
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Identity", ["again_in"], ["again"]),
        helper.make_node("Cos", ["before"], ["after"]),
    ]
    outputs = [value("again", TensorProto.BOOL, []), value("after", TensorProto.FLOAT, [])]
    if keep:
        nodes.append(helper.make_node("Expand", ["after", "megabyte"], ["row"]))
        outputs.append(value("row", TensorProto.FLOAT, [1 << 18]))
    inputs = [
        value("round", TensorProto.INT64, []),
        value("again_in", TensorProto.BOOL, []),
        value("before", TensorProto.FLOAT, []),
    ]
    return helper.make_graph(nodes, "body", inputs, outputs)
