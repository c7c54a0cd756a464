from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from modelrepo.reader import Bundle, read_bundle
from tests.support.bundles.third_party import FILTERS, Kind, classifier
from tests.support.bundles.tiny import publish_tiny
from tests.support.images.drawn import tiny_image
from training.analysis.filters import read_first_convolution
from training.cli.main import main
from training.errors import InvalidModel

KERNEL = np.array([[[[1, 0], [0, -1]]], [[[0, 2], [0, 0]]]], np.float32)  # two filters of 2 × 2 over one channel
ENTRANCE = (
    helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
    helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
)
EXIT = (
    helper.make_node("GlobalAveragePool", ["behind"], ["pooled"]),
    helper.make_node("Flatten", ["pooled"], ["flat"]),
    helper.make_node("MatMul", ["flat", "dense"], ["logits"]),
    helper.make_node("Softmax", ["logits"], ["probabilities"]),
)


def network(*middle: onnx.NodeProto, **stored: NDArray[Any]) -> bytes:
    """uint8 [N, 8, 8, 1] → what tf2onnx puts before a convolution → `middle`, from `planes` to `behind` → dense."""
    ends = [
        helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 8, 8, 1]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 3]),
    ]
    weights = {"dense": np.eye(2, 3, dtype=np.float32), **stored}
    tensors = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    graph = helper.make_graph([*ENTRANCE, *middle, *EXIT], "net", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 17)])
    return bytes(model.SerializeToString())


def convolve(weights: str = "kernel", target: str = "convolved", *more: str) -> onnx.NodeProto:
    return helper.make_node("Conv", ["planes", weights, *more], [target], "first", kernel_shape=[2, 2])


def relu(source: str = "convolved") -> onnx.NodeProto:
    return helper.make_node("Relu", [source], ["behind"])


def publish(folder: Path, graph: bytes) -> Bundle:
    return read_bundle(publish_tiny(folder, "net", network=graph))


def expected(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The two filters by hand."""
    plane = image[..., 0].astype(np.float32)
    return np.stack([plane[:-1, :-1] - plane[1:, 1:], 2 * plane[:-1, 1:]])


def test_filters_and_activation_maps_are_those_of_the_graph(tmp_path: Path) -> None:
    image = tiny_image(1)

    found = read_first_convolution(publish(tmp_path, network(convolve(), relu(), kernel=KERNEL)), image)

    assert np.array_equal(found.filters, KERNEL)
    assert np.array_equal(found.maps, np.maximum(expected(image), 0))
    assert (found.name, found.activation) == ("first", "Relu")


SCALE, ZERO = np.array(0.5, np.float32), np.array(0, np.int8)
FOUR = (np.full(2, number, np.float32) for number in (1, 0, 0, 1))
KEPT: dict[str, tuple[Sequence[onnx.NodeProto], dict[str, NDArray[Any]]]] = {
    "constant": (
        [helper.make_node("Constant", [], ["made"], value=numpy_helper.from_array(KERNEL)), convolve("made"), relu()],
        {},
    ),
    "integers": (
        [helper.make_node("DequantizeLinear", ["whole", "scale", "zero"], ["made"]), convolve("made"), relu()],
        {"whole": (KERNEL * 2).astype(np.int8), "scale": SCALE, "zero": ZERO},
    ),
    "normalised": (
        [
            convolve(),
            helper.make_node("BatchNormalization", ["convolved", *"abcd"], ["normal"], epsilon=0.0),
            relu("normal"),
        ],
        {"kernel": KERNEL, **dict(zip("abcd", FOUR, strict=True))},
    ),
    "bias": (
        [convolve(), helper.make_node("Add", ["convolved", "bias"], ["more"]), relu("more")],
        {"kernel": KERNEL, "bias": np.zeros((2, 1, 1), np.float32)},
    ),
}


@pytest.mark.parametrize("way", KEPT)
def test_filters_are_read_however_an_exporter_stores_them(way: str, tmp_path: Path) -> None:
    nodes, stored = KEPT[way]

    found = read_first_convolution(publish(tmp_path, network(*nodes, **stored)), tiny_image(1))

    assert np.array_equal(found.filters, KERNEL)
    assert found.activation == "Relu"
    assert np.allclose(found.maps, np.maximum(expected(tiny_image(1)), 0))


def test_without_an_activation_the_maps_are_the_convolutions_output(tmp_path: Path) -> None:
    pooled = helper.make_node("MaxPool", ["convolved"], ["behind"], kernel_shape=[2, 2])

    found = read_first_convolution(publish(tmp_path, network(convolve(), pooled, kernel=KERNEL)), tiny_image(1))

    assert found.activation is None
    assert np.array_equal(found.maps, expected(tiny_image(1)))


def test_a_network_without_convolutions_is_refused(models: Path) -> None:
    with pytest.raises(InvalidModel, match="has no convolution in its graph"):
        read_first_convolution(read_bundle(models / "mnist" / "1"))


@pytest.mark.parametrize("kind", [Kind(), Kind(batch=4), Kind(dtype=TensorProto.UINT8, layout="NHWC")])
def test_imported_networks_are_read_too(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(classifier(kind).SerializeToString())
    scale = [] if kind.dtype == TensorProto.UINT8 else ["--scale", "1/255"]
    main(["import", str(path), "--models", str(tmp_path / "models"), *scale])

    found = read_first_convolution(read_bundle(tmp_path / "models" / "net" / "1"))

    assert found.filters.shape == (FILTERS, 3, 3, 3)
    assert found.maps.shape == (FILTERS, 8, 8)
    assert found.activation == "Relu"
