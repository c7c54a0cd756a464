"""A graph's signature: its input for images, its output for classes, and whether that is probabilities or logits."""

from dataclasses import dataclass

import onnx
from onnx import TensorProto

from training.errors import InvalidModel

DYNAMIC = None  # the length of an axis that the graph does not fix

_TYPES = {number: name.lower() for name, number in TensorProto.DataType.items()}

# These return their input, or change its form only.
_PASSING = {"Cast", "DequantizeLinear", "Dropout", "Flatten", "Identity", "QuantizeLinear", "Reshape", "Squeeze"}
# Their results are unbounded. The softmax of the logarithm of probabilities is the probabilities.
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


@dataclass(frozen=True)
class ValueInfo:
    """An input or an output: its name, ONNX's name of its type in lower case, and its shape, None for unknown rank."""

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None

    def __str__(self) -> str:
        axes = "of unknown shape" if self.shape is None else f"[{', '.join(str(axis or '?') for axis in self.shape)}]"
        return f"{self.name} {self.dtype} {axes}"


def read_signature(graph: onnx.GraphProto) -> tuple[ValueInfo, ValueInfo]:
    """The input and the output; raises InvalidModel, which names all of them, where there are more or fewer."""
    weights = {tensor.name for tensor in graph.initializer}  # before IR version 4 they were listed as inputs, too
    inputs = [_read_value(value) for value in graph.input if value.name not in weights]
    return _only(inputs, "input"), _only([_read_value(value) for value in graph.output], "output")


def deduce_kind(graph: onnx.GraphProto, output: str) -> str:
    """`probabilities` after a softmax, `logits` after a linear layer; raises InvalidModel after other operations."""
    operation = _last_operation(graph, output)
    if operation == "Softmax":
        return "probabilities"
    if operation in _LOGITS:
        return "logits"
    raise InvalidModel(
        f"the graph ends in {operation}, which does not tell what its output is: give --output probabilities if each "
        "image's numbers sum to 1, else --output logits, of which the service takes the softmax"
    )


def _only(values: list[ValueInfo], kind: str) -> ValueInfo:
    if len(values) != 1:
        names = "; ".join(map(str, values)) or "none"
        raise InvalidModel(
            f"the graph has {len(values)} {kind}s ({names}) where an image classifier has one: "
            f"export it again with one {kind}"
        )
    return values[0]


def _read_value(value: onnx.ValueInfoProto) -> ValueInfo:
    if value.type.WhichOneof("value") != "tensor_type":
        return ValueInfo(value.name, value.type.WhichOneof("value") or "of unknown type", None)
    tensor = value.type.tensor_type
    shape = tuple(map(_length, tensor.shape.dim)) if tensor.HasField("shape") else None
    return ValueInfo(value.name, _TYPES.get(tensor.elem_type, "of unknown type"), shape)


def _length(axis: onnx.TensorShapeProto.Dimension) -> int | None:
    """Most exporters give a dynamic axis a name, some the length −1 or 0."""
    return axis.dim_value if axis.dim_value > 0 else DYNAMIC


def _last_operation(graph: onnx.GraphProto, name: str) -> str:
    makers = {output: node for node in graph.node for output in node.output}
    while name in makers and makers[name].op_type in _PASSING:
        name = makers[name].input[0]
    return makers[name].op_type if name in makers else "its own input"
