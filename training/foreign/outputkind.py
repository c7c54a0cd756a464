"""Whether a graph's output is probabilities or logits, as far as its last operation tells."""

import onnx

from training.errors import InvalidModel

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
