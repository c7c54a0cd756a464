import keras
import numpy as np
import onnx
import pytest

from training.engine.input_pipeline import predict
from training.evaluation.onnx_inference import open_graph
from training.export.to_onnx import compare, to_onnx
from training.models.architectures import Architecture, ResNet, ResNet9, Textbook
from training.models.build import Network, build

RANDOM = np.random.default_rng(3)


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)], ids=["grayscale", "rgb"])
@pytest.mark.parametrize("pooling", ["max", "average", "min"])
def test_the_graph_answers_as_keras_does(shape: tuple[int, int, int], pooling: str) -> None:
    network = build(Textbook(pooling=pooling), shape, 10, "network")
    images = RANDOM.integers(0, 256, (300, *shape), np.uint8)

    parity = compare(predict(network, images), open_graph(to_onnx(network))(images))

    assert parity.images == 300


@pytest.mark.parametrize(("strides", "padding"), [(2, "same"), (1, "valid"), (2, "valid")])
def test_strides_and_padding_survive_the_export(strides: int, padding: str) -> None:
    network = build(Textbook(strides=strides, padding=padding), (28, 28, 1), 10, "network")
    images = RANDOM.integers(0, 256, (20, 28, 28, 1), np.uint8)

    assert compare(predict(network, images), open_graph(to_onnx(network))(images)).labels_equal


@pytest.mark.parametrize("flip_tta", [False, True])
@pytest.mark.parametrize(
    "architecture",
    [ResNet9(((8, 8, 8),), stem=4, activation="silu"), ResNet(8, ((8, 1), (16, 1)))],
    ids=["plain", "residual"],
)
def test_networks_of_every_kind_survive_the_export(architecture: Architecture, flip_tta: bool) -> None:
    network = build(architecture, (32, 32, 3), 10, "network", flip_tta=flip_tta)
    images = RANDOM.integers(0, 256, (20, 32, 32, 3), np.uint8)

    assert compare(predict(network, images), open_graph(to_onnx(network))(images)).labels_equal


def test_a_network_that_starts_otherwise_gets_its_scaling_in_the_graph() -> None:
    network = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
    images = RANDOM.integers(0, 256, (20, 4, 4, 1), np.uint8)

    assert compare(predict(network, images), open_graph(to_onnx(network))(images)).labels_equal


def test_both_ends_have_their_names_types_and_a_free_batch_axis(network: Network) -> None:
    graph = onnx.load_from_string(to_onnx(network)).graph

    assert [describe(value) for value in (*graph.input, *graph.output)] == [
        ("image", onnx.TensorProto.UINT8, ["N", 28, 28, 1]),
        ("probabilities", onnx.TensorProto.FLOAT, ["N", 10]),
    ]


def test_the_scaling_costs_no_operation(network: Network) -> None:
    operations = {node.op_type for node in onnx.load_from_string(to_onnx(network)).graph.node}

    assert "Cast" in operations
    assert not operations & {"Mul", "Div"}


def test_exporting_leaves_the_network_as_it_was(network: Network) -> None:
    before = [weight.copy() for weight in network.get_weights()]

    to_onnx(network)

    assert all(np.array_equal(old, new) for old, new in zip(before, network.get_weights(), strict=True))


@pytest.fixture
def network() -> Network:
    return build(Textbook(), (28, 28, 1), 10, "network")


def describe(value: onnx.ValueInfoProto) -> tuple[str, int, list[object]]:
    kind = value.type.tensor_type
    return value.name, kind.elem_type, [size.dim_param or size.dim_value for size in kind.shape.dim]
