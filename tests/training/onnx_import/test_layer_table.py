"""The layer table of a graph, and the windows in its rows."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx.utils import Extractor

from modelrepo.metadata import InputSpec, Layer, ParameterCounts, Preprocessing
from modelrepo.reader import read_metadata
from tests.support.bundles.third_party import Kind, Weights, classifier, graph_of
from training.evaluation.golden_images import draw_images
from training.onnx_import.layer_table import Table, describe_layers, describe_window

RULES = Preprocessing("rgb", "crop", "bilinear", "white", exif_orientation=True, ink=False)
BUNDLES = Path(__file__).parents[3] / "models"


def table(model: onnx.ModelProto, batch: int | None = None, size: int = 16, channels: int = 3) -> Table:
    spec = InputSpec(model.graph.input[0].name, "float32", "NCHW", batch, size, size, channels)
    return describe_layers(model, draw_images(size, size, channels), spec, RULES)


def test_the_table_has_a_row_a_node_with_the_numbers_of_the_formulas() -> None:
    layers, parameters = table(classifier())

    assert layers == (
        Layer(
            "/conv1/Conv",
            "Conv",
            (None, 16, 8, 8),
            16 * 3 * 9 + 16,
            8 * 8 * 16 * 3 * 9,
            filters=16,
            kernel_size=(3, 3),
            strides=(2, 2),
            padding="1,1,1,1",
        ),
        Layer("/bn1/BatchNormalization", "BatchNormalization", (None, 16, 8, 8), 4 * 16, 0),
        Layer("/relu1/Relu", "Relu", (None, 16, 8, 8), 0, 0),
        Layer("/pool/MaxPool", "MaxPool", (None, 16, 4, 4), 0, 0, pool_size=(2, 2), strides=(2, 2), padding="valid"),
        Layer(
            "/conv2/Conv",
            "Conv",
            (None, 16, 4, 4),
            16 * 8 * 9 + 16,
            4 * 4 * 16 * 8 * 9,
            filters=16,
            kernel_size=(3, 3),
            strides=(1, 1),
            padding="2,2,2,2",
        ),
        Layer("/relu2/Relu", "Relu", (None, 16, 4, 4), 0, 0),
        Layer("/gap/GlobalAveragePool", "GlobalAveragePool", (None, 16, 1, 1), 0, 0),
        Layer("/Flatten", "Flatten", (None, 16), 0, 0),
        Layer("/fc/Gemm", "Gemm", (None, 5), 16 * 5 + 5, 16 * 5),
    )
    assert parameters == ParameterCounts(1765, 1733, 32)


@pytest.mark.parametrize("batch", [1, 4, 12])
def test_a_fixed_batch_is_in_the_shapes_and_costs_are_for_one_image(batch: int) -> None:
    layers, _ = table(classifier(Kind(batch=batch)), batch)

    assert layers[0].output_shape == (batch, 16, 8, 8)
    assert sum(layer.multiply_adds for layer in layers) == 27_648 + 18_432 + 80


@pytest.mark.parametrize(("name", "channels", "size"), [("mnist", 1, 28), ("cifar10", 3, 32)])
def test_a_network_of_keras_has_the_numbers_that_keras_counted(name: str, channels: int, size: int) -> None:
    published = onnx.load_model(BUNDLES / name / "1" / "model.onnx")
    model = Extractor(published).extract_model(["image"], ["probabilities"])  # without the outlier score
    spec = InputSpec("image", "uint8", "NHWC", None, size, size, channels)

    layers, parameters = describe_layers(model, draw_images(size, size, channels), spec, RULES)

    counted = read_metadata(BUNDLES / name / "1")
    assert parameters == counted.parameters
    assert sum(each.multiply_adds for each in layers) == sum(each.multiply_adds for each in counted.layers)


def test_nodes_that_compute_shapes_are_left_out_and_nameless_ones_have_their_outputs_name() -> None:
    weights: Weights = {
        "rest": np.array([-1], np.int64),
        "zero": np.array([0], np.int64),
        "w": np.eye(12, 4, dtype=np.float32),
    }
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["n"]),
        helper.make_node("Concat", ["n", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]

    layers, _ = table(graph_of(nodes, weights, x=["N", 3, 2, 2], y=["N", 4]), size=2)

    assert [(layer.name, layer.type, layer.output_shape) for layer in layers] == [
        ("flat", "Reshape", (None, 12)),
        ("y", "MatMul", (None, 4)),
    ]


def test_functions_of_the_model_are_opened() -> None:
    opset = helper.make_opsetid("", 17)
    inner = [helper.make_node("Flatten", ["a"], ["flat"]), helper.make_node("MatMul", ["flat", "b"], ["c"])]
    dense = helper.make_function("own", "Dense", ["a", "b"], ["c"], inner, [opset])
    node = helper.make_node("Dense", ["x", "w"], ["y"], domain="own")
    model = graph_of([node], {"w": np.eye(12, 4, dtype=np.float32)}, x=["N", 3, 2, 2], y=["N", 4])
    model.functions.append(dense)
    model.opset_import.append(helper.make_opsetid("own", 1))

    layers, parameters = table(model, size=2)

    assert [layer.type for layer in layers] == ["Flatten", "MatMul"]
    assert parameters.total == layers[1].multiply_adds == 48


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
