"""A graph's signature: its one input for images, its one output for classes, and if that is probabilities or logits."""

from collections.abc import Iterable
from dataclasses import dataclass

import onnx
from onnx import TensorProto

from training.errors import InvalidModel

FREE = None  # the length of an axis that the graph leaves open

_NAMES = {number: name.lower() for name, number in TensorProto.DataType.items()}


@dataclass(frozen=True)
class End:
    """An input or an output: its name, its type in onnx's lower-case word, and its axes, None where unknown rank."""

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None

    def __str__(self) -> str:
        axes = "of unknown shape" if self.shape is None else f"[{', '.join(str(axis or '?') for axis in self.shape)}]"
        return f"{self.name} {self.dtype} {axes}"


def find_ends(graph: onnx.GraphProto) -> tuple[End, End]:
    """The input and the output; raises InvalidModel, which names what was found, where there are more or fewer."""
    weights = {tensor.name for tensor in graph.initializer}  # before IR version 4 they were listed as inputs, too
    inputs = [_end(value) for value in graph.input if value.name not in weights]
    return _only(inputs, "input"), _only([_end(value) for value in graph.output], "output")


def _only(ends: list[End], kind: str) -> End:
    if len(ends) != 1:
        raise InvalidModel(
            f"the graph has {len(ends)} {kind}s ({_enumerate(ends) or 'none'}) where an image classifier has one: "
            f"export it again with one {kind}"
        )
    return ends[0]


def _end(value: onnx.ValueInfoProto) -> End:
    if value.type.WhichOneof("value") != "tensor_type":
        return End(value.name, value.type.WhichOneof("value") or "of unknown type", None)
    tensor = value.type.tensor_type
    shape = tuple(map(_length, tensor.shape.dim)) if tensor.HasField("shape") else None
    return End(value.name, _NAMES.get(tensor.elem_type, "of unknown type"), shape)


def _length(axis: onnx.TensorShapeProto.Dimension) -> int | None:
    """A free axis is named by most exporters, and −1 or 0 by some."""
    return axis.dim_value if axis.dim_value > 0 else FREE


def _enumerate(ends: Iterable[End]) -> str:
    return "; ".join(map(str, ends))


# Hand on what they get; others change its form only.
_PASSING = {"Cast", "DequantizeLinear", "Dropout", "Flatten", "Identity", "QuantizeLinear", "Reshape", "Squeeze"}
# Their results are unbounded. The softmax of a logarithm of probabilities is those probabilities again.
_LOGITS = {
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Conv",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "LogSoftmax",
    "MatMul",
    "QGemm",
    "QLinearConv",
    "QLinearMatMul",
    "ReduceMean",
}


def deduce_kind(graph: onnx.GraphProto, output: str) -> str:
    """`probabilities` after a softmax, `logits` after a linear layer; raises InvalidModel after anything else."""
    operation = _last_operation(graph, output)
    if operation == "Softmax":
        return "probabilities"
    if operation in _LOGITS:
        return "logits"
    raise InvalidModel(
        f"the graph ends in {operation}, which does not tell what its output is: give --output probabilities if each "
        "image's numbers sum to 1, else --output logits, of which the service takes the softmax"
    )


def _last_operation(graph: onnx.GraphProto, name: str) -> str:
    makers = {output: node for node in graph.node for output in node.output}
    while name in makers and makers[name].op_type in _PASSING:
        name = makers[name].input[0]
    return makers[name].op_type if name in makers else "its own input"
