from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from modelrepo.metadata import InputSpec
from tests.support.bundles.third_party import Kind, Weights, classifier, graph_of
from training.errors import InvalidModel
from training.evaluation.golden_images import draw_images
from training.onnx_import.check import CheckResult, check_model
from training.onnx_import.options import ImportOptions
from training.onnx_import.presets import choose_preprocessing
from training.onnx_import.signature import ValueInfo

OUTPUT = ValueInfo("495", "float", (None, 5))
EYE = {"w": np.eye(12, 4, dtype=np.float32)}


def tried(model: onnx.ModelProto, kind: str = "logits", batch: int | None = None, size: int = 16) -> CheckResult:
    spec = InputSpec(model.graph.input[0].name, "float32", "NCHW", batch, size, size, 3)
    rules = choose_preprocessing(ImportOptions(preset="imagenet"), spec)
    images = draw_images(size, size, 3)
    return check_model(model.SerializeToString(), images, spec, rules, output=OUTPUT, kind=kind)


def nodes(*rows: Any) -> list[onnx.NodeProto]:
    return [helper.make_node(operation, inputs, outputs, **more) for operation, inputs, outputs, more in rows]


@pytest.mark.parametrize("batch", [None, 1, 3])
def test_logits_give_the_same_probabilities_in_every_batch(batch: int | None) -> None:
    trial = tried(classifier(Kind(batch=batch or "N")), batch=batch)

    assert trial.probabilities.shape == (8, 5)
    assert trial.probabilities.sum(axis=1) == pytest.approx(np.ones(8), abs=1e-5)
    assert trial.to_json()["largest_difference"] <= 1e-5


def test_logits_declared_as_probabilities_are_refused() -> None:
    with pytest.raises(InvalidModel, match=r"is no probabilities: .* sum to between .* give --output logits"):
        tried(classifier(), "probabilities")


def test_independent_probabilities_of_classes_are_refused() -> None:
    with pytest.raises(InvalidModel, match="give --output logits"):
        tried(classifier(Kind(ending=("Sigmoid",))), "probabilities")


def test_a_graph_with_one_class_is_refused() -> None:
    with pytest.raises(InvalidModel, match="gives 1 number an image where a classifier gives one a class"):
        tried(classifier(Kind(classes=1)))


def test_a_graph_that_cannot_be_loaded_is_refused_with_the_reason() -> None:
    model = classifier()
    model.opset_import[0].version = 9999

    with pytest.raises(InvalidModel, match=r"ONNX Runtime [\d.]+ cannot load the graph \(.*9999.*\): export it again"):
        tried(model)


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(InvalidModel, match=r"cannot load the graph .*Frobnicate"):
        tried(classifier(Kind(ending=("Frobnicate",))))


def test_a_graph_for_one_image_that_declares_a_dynamic_batch_is_refused() -> None:
    shape: Weights = {**EYE, "shape": np.array([1, 12], np.int64)}
    made = nodes(("Reshape", ["x", "shape"], ["flat"], {}), ("MatMul", ["flat", "w"], ["y"], {}))
    model = graph_of(made, shape, x=["N", 3, 2, 2], y=["N", 4])

    with pytest.raises(InvalidModel, match=r"does not run on 8 images .* give --batch 1"):
        tried(model, size=2)
    assert tried(model, size=2, batch=1).probabilities.shape == (8, 4)


def test_a_graph_in_which_images_of_a_batch_change_each_other_is_refused() -> None:
    axes = {"keepdims": 1, "axes": [0]}
    made = nodes(
        ("ReduceMax", ["x"], ["most"], axes),
        ("Mul", ["most", "half"], ["middle"], {}),
        ("Sub", ["x", "middle"], ["rest"], {}),
        ("Flatten", ["rest"], ["flat"], {}),
        ("MatMul", ["flat", "w"], ["y"], {}),
    )
    model = graph_of(made, {**EYE, "half": np.array([0.5], np.float32)}, x=["N", 3, 2, 2], y=["N", 4])

    with pytest.raises(InvalidModel, match="with the images beside it in a batch: give --batch 1"):
        tried(model, size=2)
    assert tried(model, size=2, batch=1).largest_difference == 0


def test_a_network_with_equal_results_for_all_images_is_refused() -> None:
    made = nodes(("Flatten", ["x"], ["flat"], {}), ("MatMul", ["flat", "w"], ["y"], {}))
    dead = graph_of(made, {"w": np.zeros((12, 4), np.float32)}, x=["N", 3, 2, 2], y=["N", 4])

    with pytest.raises(InvalidModel, match="the same answer to 8 different pictures"):
        tried(dead, size=2)


def test_of_the_runtimes_message_only_the_reason_is_given() -> None:
    model = classifier()
    model.ir_version = 99

    with pytest.raises(InvalidModel) as refused:
        tried(model)

    assert "(Unsupported model IR version: 99, max supported IR version: " in str(refused.value)


@pytest.mark.parametrize(
    ("ending", "sentence"),
    [
        pytest.param(("Unsqueeze", ["flat", "axes"], ["y"], {}), r"gives an array of \[8, 12, 1\]", id="three axes"),
        pytest.param(("Identity", ["x"], ["y"], {}), r"gives an array of \[8, 3, 2, 2\]", id="four axes"),
        pytest.param(("Log", ["dark"], ["y"], {}), "gives NaN or infinity for drawn images", id="NaN"),
        pytest.param(("Cast", ["flat"], ["y"], {"to": TensorProto.FLOAT16}), "is not float32", id="float16"),
        pytest.param(("Cast", ["flat"], ["y"], {"to": TensorProto.DOUBLE}), "is not float32", id="double"),
    ],
)
def test_an_output_that_is_not_one_number_a_class_is_refused(ending: tuple[Any, ...], sentence: str) -> None:
    made = nodes(("Flatten", ["x"], ["flat"], {}), ("Sub", ["flat", "far"], ["dark"], {}), ending)
    weights: Weights = {"axes": np.array([2], np.int64), "far": np.array([9], np.float32)}
    model = graph_of(made, weights, x=["N", 3, 2, 2], y=["N", 12])
    model.graph.output[0].type.tensor_type.elem_type = ending[3].get("to", TensorProto.FLOAT)
    model.graph.output[0].type.tensor_type.ClearField("shape")

    with pytest.raises(InvalidModel, match=sentence):
        tried(model, size=2)
