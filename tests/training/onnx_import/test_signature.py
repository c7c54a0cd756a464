import pytest
from onnx import GraphProto, TensorProto, helper

from tests.support.bundles.third_party import classifier
from training.errors import InvalidModel
from training.onnx_import.signature import read_signature

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
