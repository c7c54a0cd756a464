from typing import Any

import pytest
from onnx import helper

from training.onnx_import.counts import Shapes, multiply_adds


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
