"""The counts of parameters and of multiply-adds."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from tests.support.bundles.third_party import Weights as Stored
from tests.support.bundles.third_party import graph_of
from training.onnx_import.counts import Shapes, Weights, count_weights, multiply_adds


def counted(nodes: list[NodeProto], **weights: NDArray[Any]) -> list[Weights]:
    return list(count_weights(graph_of(nodes, weights, x=["N", 4], y=["N", 4]).graph))


def test_a_tensor_that_two_nodes_share_counts_once() -> None:
    nodes = [helper.make_node("MatMul", [source, "w"], [target]) for source, target in ("xa", "ay")]

    assert counted(nodes, w=np.zeros((4, 4), np.float32)) == [Weights(16, 0), Weights(0, 0)]


def test_a_tensor_that_a_node_takes_twice_counts_once() -> None:
    nodes = [helper.make_node("Sum", ["x", "w", "w"], ["y"])]

    assert counted(nodes, w=np.zeros(4, np.float32)) == [Weights(4, 0)]


def test_the_statistics_of_a_normalization_are_not_trainable() -> None:
    nodes = [helper.make_node("BatchNormalization", ["x", "scale", "bias", "mean", "var"], ["y"])]
    four = np.zeros(4, np.float32)

    assert counted(nodes, scale=four, bias=four, mean=four, var=four) == [Weights(16, 8)]


def test_statistics_from_one_tensor_do_not_upset_the_count() -> None:
    nodes = [helper.make_node("BatchNormalization", ["x", "ones", "zeros", "zeros", "ones"], ["y"])]

    assert counted(nodes, ones=np.ones(4, np.float32), zeros=np.zeros(4, np.float32)) == [Weights(8, 0)]


@pytest.mark.parametrize(
    ("operation", "inputs", "weights"),
    [
        pytest.param("Mul", ["x", "w"], {"w": np.float32(2)}, id="a mere number"),
        pytest.param("Clip", ["x", "w", "v"], {"w": np.zeros(1, np.float32), "v": np.ones(1, np.float32)}, id="bounds"),
        pytest.param("Reshape", ["x", "w"], {"w": np.zeros(2, np.int64)}, id="a shape"),
        pytest.param("Resize", ["x", "", "w"], {"w": np.ones(4, np.float32)}, id="factors"),
        pytest.param("QuantizeLinear", ["x", "w"], {"w": np.ones(4, np.float32)}, id="steps"),
    ],
)
def test_settings_are_no_weights(operation: str, inputs: list[str], weights: Stored) -> None:
    assert counted([helper.make_node(operation, inputs, ["y"])], **weights) == [Weights(0, 0)]


def test_weights_in_eight_bits_count_and_their_steps_do_not() -> None:
    weights: Stored = {"w": np.zeros((4, 4), np.int8), "step": np.ones(4, np.float32), "zero": np.zeros(4, np.int8)}
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "step", "zero"], ["floats"]),
        helper.make_node("MatMul", ["x", "floats"], ["y"]),
    ]

    assert counted(nodes, **weights) == [Weights(16, 0), Weights(0, 0)]


def test_operations_on_integers_have_their_weights_elsewhere() -> None:
    weights: Stored = {"w": np.zeros((4, 4), np.int8), "c": np.zeros(4, np.int32), "s": np.ones(4, np.float32)}
    convolution = helper.make_node("QLinearConv", ["x", "s", "z", "w", "s", "z", "s", "z", "c"], ["a"])
    product = helper.make_node("QGemm", ["x", "s", "z", "w", "s", "z", "c", "s"], ["y"], domain="com.microsoft")

    assert counted([convolution], **weights) == counted([product], **weights) == [Weights(20, 0)]


def test_weights_written_as_nodes_count_where_they_are_used() -> None:
    value = numpy_helper.from_array(np.zeros((4, 4), np.float32))
    nodes = [
        helper.make_node("Constant", [], ["w"], value=value),
        helper.make_node("Constant", [], ["two"], value_float=2.0),
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Mul", ["a", "two"], ["y"]),
    ]

    assert [each.total for each in counted(nodes)] == [0, 0, 16, 0]


def test_float16_weights_count_where_they_are_cast() -> None:
    nodes = [
        helper.make_node("Cast", ["w"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["x", "wide"], ["y"]),
    ]

    assert counted(nodes, w=np.zeros((4, 4), np.float16)) == [Weights(16, 0), Weights(0, 0)]


@pytest.mark.parametrize(
    ("operation", "shapes", "attributes", "expected"),
    [
        pytest.param(
            "Conv", {"x": (2, 3, 8, 8), "w": (16, 3, 3, 3), "y": (2, 16, 6, 6)}, {}, 2 * 36 * 16 * 27, id="Conv"
        ),
        pytest.param(
            "Conv",
            {"x": (1, 32, 9, 9), "w": (32, 1, 3, 3), "y": (1, 32, 9, 9)},
            {"group": 32},
            81 * 32 * 9,
            id="depthwise",
        ),
        pytest.param(
            "ConvTranspose",
            {"x": (1, 8, 5, 5), "w": (8, 4, 2, 2), "y": (1, 4, 10, 10)},
            {},
            25 * 8 * 4 * 4,
            id="ConvTranspose",
        ),
        pytest.param("Gemm", {"x": (4, 16), "w": (5, 16), "y": (4, 5)}, {"transB": 1}, 4 * 16 * 5, id="Gemm"),
        pytest.param("Gemm", {"x": (16, 4), "w": (16, 5), "y": (4, 5)}, {"transA": 1}, 4 * 16 * 5, id="Gemm turned"),
        pytest.param(
            "MatMul", {"x": (1, 8, 7, 6), "w": (1, 8, 6, 9), "y": (1, 8, 7, 9)}, {}, 8 * 7 * 6 * 9, id="MatMul"
        ),
        pytest.param("Relu", {"x": (1, 8), "w": (), "y": (1, 8)}, {}, 0, id="Relu"),
        pytest.param("GlobalAveragePool", {"x": (1, 8, 7, 7), "w": (), "y": (1, 8, 1, 1)}, {}, 0, id="pooling"),
    ],
)
def test_every_output_value_costs_one_for_each_weight_it_sees(
    operation: str, shapes: Shapes, attributes: dict[str, Any], expected: int
) -> None:
    node = helper.make_node(operation, ["x", "w"], ["y"], **attributes)

    assert multiply_adds(node, shapes) == expected


def test_a_quantised_convolution_has_its_kernel_elsewhere() -> None:
    node = helper.make_node("QLinearConv", ["x", "s", "z", "w", "s", "z", "s", "z"], ["y"])

    assert multiply_adds(node, {"x": (1, 3, 8, 8), "w": (16, 3, 3, 3), "y": (1, 16, 6, 6)}) == 36 * 16 * 27
