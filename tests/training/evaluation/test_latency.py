import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from training.evaluation.latency import time_both

SIDE = 512


@pytest.mark.parametrize("order", [(1, 30), (30, 1)], ids=["the second", "the first"])
def test_the_graph_that_computes_more_takes_longer(order: tuple[int, int]) -> None:
    images = np.ones((3, 1, SIDE, 1), np.uint8)

    first, second = time_both(multiply(order[0]), multiply(order[1]), images)

    assert (first > second) == (order[0] > order[1])
    assert 0 < first < 1


def multiply(times: int) -> bytes:
    """A graph that multiplies a row of pixels so many times by a matrix."""
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["pixels"], ["product0"], axis=1),
        *(
            helper.make_node("MatMul", [f"product{position}", "matrix"], [f"product{position + 1}"])
            for position in range(times)
        ),
    ]
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 1, SIDE, 1])]
    outputs = [helper.make_tensor_value_info(f"product{times}", TensorProto.FLOAT, ["N", SIDE])]
    matrix = numpy_helper.from_array(np.eye(SIDE, dtype=np.float32), "matrix")
    built = helper.make_graph(nodes, "products", inputs, outputs, [matrix])
    model = helper.make_model(built, ir_version=10, opset_imports=[helper.make_opsetid("", 17)])
    return bytes(model.SerializeToString())
