from typing import Any

import pytest
from onnx import helper

from training.onnx_import.layer_table import describe_window

SHAPES = {"x": (1, 4, 8, 8), "w": (16, 2, 3, 5), "y": (1, 32, 8, 8)}
POOL = {"kernel_shape": [2, 2], "strides": [2, 2]}


@pytest.mark.parametrize(
    ("operation", "attributes", "expected"),
    [
        pytest.param(
            "Conv",
            {"pads": [1, 2, 1, 2], "strides": [2, 1]},
            {"filters": 16, "kernel_size": (3, 5), "strides": (2, 1), "padding": "1,2,1,2"},
            id="Conv",
        ),
        pytest.param(
            "Conv",
            {"auto_pad": "SAME_UPPER"},
            {"filters": 16, "kernel_size": (3, 5), "strides": (1, 1), "padding": "same"},
            id="as Keras pads",
        ),
        pytest.param(
            "ConvTranspose",
            {"group": 2},
            {"filters": 32, "kernel_size": (3, 5), "strides": (1, 1), "padding": "valid"},
            id="ConvTranspose",
        ),
        pytest.param("MaxPool", POOL, {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}, id="MaxPool"),
        pytest.param("GlobalAveragePool", {}, {}, id="no window"),
        pytest.param("Gemm", {"transB": 1}, {}, id="no image"),
    ],
)
def test_a_windows_settings_are_members_of_the_row(
    operation: str, attributes: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert describe_window(helper.make_node(operation, ["x", "w"], ["y"], **attributes), SHAPES) == expected
