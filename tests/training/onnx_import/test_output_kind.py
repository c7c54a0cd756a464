import pytest

from tests.support.bundles.third_party import Kind, classifier
from training.errors import InvalidModel
from training.onnx_import.signature import deduce_kind


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
