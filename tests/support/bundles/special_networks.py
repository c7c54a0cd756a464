"""Networks with the tiny network's results, but slower, or failing for some images."""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from tests.support.bundles.tiny import tiny_graph
from tests.support.images.drawn import SIDE, Pixels, tiny_image

FILTERS = 256
FAILING_VALUE = 100  # the value of the first pixel that one of them fails at


def slow_graph(convolutions: int) -> bytes:
    """Slow by convolutions of 5 million multiplications each, whose result, zero, is added."""
    nodes = [
        helper.make_node("Conv", ["pixels", "first"], ["layer0"]),
        *(
            helper.make_node("Conv", [f"layer{n}", "more"], [f"layer{n + 1}"], pads=[1, 1, 1, 1])
            for n in range(convolutions)
        ),
        helper.make_node("ReduceMax", [f"layer{convolutions}"], ["nothing"], axes=[1, 2, 3], keepdims=0),
    ]
    first, more = np.zeros((FILTERS, SIDE, 1, 1), np.float32), np.zeros((FILTERS, FILTERS, 3, 3), np.float32)
    return with_tiny_network(nodes, first=first, more=more)


def failing_graph() -> bytes:
    """Fails for images like `failing_image`, by an index out of a table's range."""
    nodes = [
        helper.make_node("Gather", ["flat", "place"], ["corner"], axis=1),
        helper.make_node("Equal", ["corner", "hated"], ["hates"]),
        helper.make_node("Cast", ["hates"], ["index"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "index"], ["nothing"]),
    ]
    return with_tiny_network(nodes, place=np.array(0), hated=np.float32(FAILING_VALUE), table=np.zeros(1, np.float32))


def failing_image() -> Pixels:
    """Bright in the middle, with a corner that makes `failing_graph` fail."""
    pixels = tiny_image(1)
    pixels[0, 0] = FAILING_VALUE
    return pixels


def with_tiny_network(nodes: Sequence[NodeProto], **tensors: NDArray[np.generic] | np.generic) -> bytes:
    """The tiny graph with nodes that make `nothing`, zeros [N], which is added to the pixels."""
    model = onnx.load_from_string(tiny_graph())
    cast, flatten, multiply, softmax = model.graph.node
    unsqueeze = helper.make_node("Unsqueeze", ["nothing", "axis"], ["column"])
    add = helper.make_node("Add", ["flat", "column"], ["burdened"])
    multiply.input[0] = "burdened"
    ordered = [cast, flatten, *nodes, unsqueeze, add, multiply, softmax]
    del model.graph.node[:]
    model.graph.node.extend(ordered)
    named = {"axis": np.array([1]), **tensors}
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(each), name) for name, each in named.items())
    return bytes(model.SerializeToString())
