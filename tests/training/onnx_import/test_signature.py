"""The signature of a graph: its input, its output, and the kind of the output."""

import pytest
from onnx import GraphProto, TensorProto, helper

from tests.support.bundles.third_party import Kind, classifier
from training.errors import InvalidModel
from training.onnx_import.signature import deduce_kind, read_signature

EXTRA = helper.make_tensor_value_info("mask", TensorProto.INT64, ["N", 7])


@pytest.fixture
def graph() -> GraphProto:
    return classifier().graph


def test_the_signature_has_dynamic_axes_as_none(graph: GraphProto) -> None:
    source, target = read_signature(graph)

    assert (source.name, source.dtype, source.shape) == ("input.1", "float", (None, 3, 16, 16))
    assert str(target) == "495 float [?, 5]"


def test_weights_listed_as_inputs_are_none(graph: GraphProto) -> None:
    listed = [helper.make_tensor_value_info(each.name, each.data_type, each.dims) for each in graph.initializer]
    graph.input.extend(listed)

    assert read_signature(graph)[0].name == "input.1"


def test_a_length_of_minus_one_is_dynamic(graph: GraphProto) -> None:
    graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1

    assert read_signature(graph)[0].shape == (None, 3, 16, 16)


def test_a_type_that_this_onnx_does_not_know_is_called_unknown(graph: GraphProto) -> None:
    graph.input[0].type.tensor_type.elem_type = 9999

    assert read_signature(graph)[0].dtype == "of unknown type"


def test_more_than_one_input_is_refused_with_their_names(graph: GraphProto) -> None:
    graph.input.append(EXTRA)

    with pytest.raises(InvalidModel, match=r"has 2 inputs \(input.1 float \[\?, 3, 16, 16\]; mask int64 \[\?, 7\]\)"):
        read_signature(graph)


def test_a_missing_output_is_refused(graph: GraphProto) -> None:
    del graph.output[:]

    with pytest.raises(InvalidModel, match=r"has 0 outputs \(none\)"):
        read_signature(graph)


def test_outputs_that_are_no_tensors_or_have_no_shape_are_named(graph: GraphProto) -> None:
    sequence = helper.make_tensor_sequence_value_info("boxes", TensorProto.FLOAT, None)
    graph.output[0].type.tensor_type.ClearField("shape")
    graph.output.append(sequence)

    with pytest.raises(InvalidModel, match="495 float of unknown shape; boxes sequence_type of unknown shape"):
        read_signature(graph)


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        pytest.param((), "logits", id="Gemm"),
        pytest.param(("Softmax",), "probabilities", id="Softmax"),
        pytest.param(("Softmax", "Identity", "Flatten"), "probabilities", id="handed on"),
        pytest.param(("LogSoftmax",), "logits", id="LogSoftmax"),
        pytest.param(("Softmax", "GlobalAveragePool"), "logits", id="last counts"),
    ],
)
def test_the_kind_follows_from_the_last_operation(ending: tuple[str, ...], kind: str) -> None:
    assert deduce_kind(classifier(Kind(ending=ending)).graph, "495") == kind


@pytest.mark.parametrize("operation", ["Sigmoid", "Mul", "Relu", "Exp"])
def test_an_operation_that_does_not_determine_the_kind_is_named(operation: str) -> None:
    with pytest.raises(InvalidModel, match=f"ends in {operation}, .* give --output probabilities if .* else --output"):
        deduce_kind(classifier(Kind(ending=(operation,))).graph, "495")


def test_a_graph_that_returns_its_input_is_refused() -> None:
    with pytest.raises(InvalidModel, match="ends in its own input"):
        deduce_kind(classifier().graph, "input.1")
