"""The outlier score: larger for what is unlike the training, and the same in a graph as in NumPy."""

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from modelrepo.metadata import InputSpec
from tests.support.bundles.third_party import Kind, classifier
from tests.support.bundles.tiny import PREPROCESSING, tiny_graph
from training.errors import Unfitted
from training.evaluation.onnx_inference import open_outputs
from training.export.outlier_output import OUTPUT, append_energy, append_score, expose_features
from training.export.outlier_score import MOST_DIMENSIONS, Features, fit

RANDOM = np.random.default_rng(1)
CENTERS = RANDOM.normal(0, 4, (3, 6))


def features(center: NDArray[np.float64], count: int = 50, middle: float = 0.0) -> Features:
    """Features around a point, and channels' means around a number."""
    last = center + RANDOM.normal(0, 0.3, (count, len(center)))
    return Features(last.astype(np.float32), RANDOM.normal(middle, 1, (count, 4)).astype(np.float32))


def join(*parts: Features) -> Features:
    middle = [each.middle for each in parts if each.middle is not None]
    return Features(np.concatenate([each.last for each in parts]), np.concatenate(middle))


TRAIN, HELD = (join(*(features(center) for center in CENTERS)) for _ in range(2))
LABELS = np.repeat(np.arange(3), 50)


@pytest.mark.parametrize(
    "unlike",
    [features(-CENTERS.sum(axis=0)), features(CENTERS[0], middle=9)],
    ids=["far from every class", "with other channels"],
)
def test_what_is_unlike_the_training_has_a_larger_score(unlike: Features) -> None:
    score = fit(TRAIN, LABELS, HELD)

    assert score(unlike).min() > np.quantile(score(HELD), 0.98)


def test_over_what_was_held_out_its_mean_is_nought() -> None:
    assert fit(TRAIN, LABELS, HELD)(HELD).mean() == pytest.approx(0)


@pytest.mark.parametrize("dimensions", [1, MOST_DIMENSIONS + 1], ids=["one feature", "many features"])
@pytest.mark.parametrize("count", [1, 2], ids=["one image", "two images"])
def test_a_score_of_few_images_is_finite(dimensions: int, count: int) -> None:
    few = Features(np.ones((count, dimensions), np.float32), None)
    nothing = Features(np.zeros((1, dimensions), np.float32), None)

    score = fit(few, np.arange(count), few)

    assert np.isfinite(score(join_last(few, nothing))).all()


def join_last(*parts: Features) -> Features:
    return Features(np.concatenate([each.last for each in parts]), None)


def mirrored() -> ModelProto:
    """Two views of an image, the mean of whose logits is answered, as `flip_tta` makes it; without a softmax."""
    weights = [numpy_helper.from_array(RANDOM.normal(size=(64, 3)).astype(np.float32), "weights")]
    weights += [numpy_helper.from_array(np.array([1, -1, 0], np.float32), "bias")]
    weights += [numpy_helper.from_array(np.array(0.5, np.float32), "half")]
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["pixels"], ["flat"], axis=1),
        helper.make_node("Sqrt", ["flat"], ["other"]),
        helper.make_node("Concat", ["flat", "other"], ["views"], axis=0),
        helper.make_node("MatMul", ["views", "weights"], ["products"]),
        helper.make_node("Add", ["products", "bias"], ["dense"]),
        helper.make_node("Split", ["dense"], ["one", "two"], axis=0, num_outputs=2),
        helper.make_node("Add", ["one", "two"], ["sum"]),
        helper.make_node("Mul", ["sum", "half"], ["logits"]),
    ]
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 8, 8, 1])]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 3])]
    graph = helper.make_graph(nodes, "mirrored", inputs, outputs, weights)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])


TINY = InputSpec("image", "uint8", "NHWC", None, 8, 8, 1)
FOREIGN = InputSpec("input.1", "float32", "NCHW", None, 32, 32, 3)
GRAPHS = [
    pytest.param(tiny_graph(), "probabilities", TINY, id="MatMul and Softmax"),
    pytest.param(mirrored().SerializeToString(), "logits", TINY, id="the mean of two views"),
    pytest.param(classifier(Kind(size=32)).SerializeToString(), "495", FOREIGN, id="opset 17, Gemm, convolutions"),
]


@pytest.mark.parametrize(("graph", "output", "spec"), GRAPHS)
def test_a_graph_computes_the_score_that_numpy_does_and_answers_as_before(
    graph: bytes, output: str, spec: InputSpec
) -> None:
    images = RANDOM.integers(0, 256, (40, spec.height, spec.width, spec.channels), np.uint8)
    exposed, names = expose_features(graph, output)
    computed = open_outputs(exposed, spec, PREPROCESSING)(images)
    found = Features(computed[0], computed[1] if len(names) > 1 else None)
    score = fit(found, np.arange(40) % 3, found)

    scored = append_score(graph, output, score)

    answers, scores = open_outputs(scored, spec, PREPROCESSING)(images)
    assert np.array_equal(answers, open_outputs(graph, spec, PREPROCESSING)(images)[0])
    assert scores == pytest.approx(score(found), abs=1e-3)
    assert onnx.load_model_from_string(scored).graph.output[1].name == OUTPUT


@pytest.mark.parametrize(("graph", "output", "spec"), GRAPHS[1:])
def test_the_energy_is_that_of_the_logits(graph: bytes, output: str, spec: InputSpec) -> None:
    images = RANDOM.integers(0, 256, (9, spec.height, spec.width, spec.channels), np.uint8)

    logits, scores = open_outputs(append_energy(graph, output), spec, PREPROCESSING)(images)

    assert scores == pytest.approx(-np.logaddexp.reduce(logits.astype(np.float64), axis=1), rel=1e-4)
    assert np.array_equal(logits, open_outputs(graph, spec, PREPROCESSING)(images)[0])


def test_a_score_takes_the_place_of_an_earlier_one() -> None:
    one = Features(np.eye(64, dtype=np.float32), None)
    score = fit(one, np.arange(64) % 3, one)

    once = append_score(tiny_graph(), "probabilities", score)

    assert append_score(once, "probabilities", score) == once


def test_a_graph_that_ends_in_no_dense_layer_has_no_features() -> None:
    model = mirrored()
    model.graph.node[-1].op_type = "Pow"

    with pytest.raises(Unfitted, match="is not made by a dense layer"):
        expose_features(model.SerializeToString(), "logits")
