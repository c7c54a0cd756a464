"""The end of a classifier's ONNX graph: the features that its last dense layer takes, and the logits made of them."""

from dataclasses import dataclass

from onnx import ModelProto, NodeProto, numpy_helper

from training.errors import Unfitted

_PASSED = {"Softmax", "Identity"}  # between the logits and the output
_AVERAGED = {"Split", "Add", "Sum", "Mean", "Mul", "Div"}  # by which several views of an image become one

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Head:
    """Names of tensors: `features` [M, dimensions] and `dense` [M, classes] of all views, `logits` [N, classes].

    `averaging` are the nodes, in their order, that make `logits` of `dense`. They are linear and treat all columns
    alike, so they average features as well. Where there are none, both names are the same.
    """

    features: str
    dimensions: int
    dense: str
    logits: str
    averaging: tuple[NodeProto, ...]


def find_head(model: ModelProto, output: str) -> Head:
    """The head of the graph that gives `output`; raises Unfitted for a graph without such an end."""
    graph = _Graph(model)
    logits = graph.behind(output)
    averaging: list[NodeProto] = []
    layers: dict[str, tuple[str, int]] = {}
    pending = [logits]
    while pending:
        name = pending.pop()
        layer, node = graph.dense_layer(name), graph.producers.get(name)
        if layer is not None:
            layers[name] = layer
        elif node is None or not graph.averages(node):
            raise Unfitted(
                f"the graph's output {output!r} is not made by a dense layer (Gemm, or MatMul and Add): it has no "
                "features to compute an outlier score of"
            )
        elif node not in averaging:
            averaging.append(node)
            pending += graph.computed_inputs(node)
    if len(layers) != 1:
        raise Unfitted(f"the graph's output {output!r} is made by {len(layers)} dense layers, not by one")
    ((dense, (features, dimensions)),) = layers.items()
    return Head(features, dimensions, dense, logits, tuple(each for each in model.graph.node if each in averaging))


class _Graph:
    """The nodes of a graph by the tensors that they give, and the shapes of its weights."""

    def __init__(self, model: ModelProto) -> None:
        self.producers: dict[str, NodeProto] = {name: node for node in model.graph.node for name in node.output}
        self._weights: dict[str, Shape] = {each.name: tuple(each.dims) for each in model.graph.initializer}

    def behind(self, name: str) -> str:
        """The tensor that becomes this one without a change of order."""
        node = self.producers.get(name)
        return name if node is None or node.op_type not in _PASSED else self.behind(node.input[0])

    def computed_inputs(self, node: NodeProto) -> list[str]:
        """The inputs that depend on the image."""
        return [name for name in node.input if name and self._weight(name) is None]

    def averages(self, node: NodeProto) -> bool:
        """Whether a node treats all columns alike: no operand but single numbers, and splits between rows only."""
        if node.op_type == "Split":
            return _integer(node, "axis") == 0
        shapes = [self._weight(name) for name in node.input]
        return node.op_type in _AVERAGED and all(set(shape) <= {1} for shape in shapes if shape is not None)

    def dense_layer(self, name: str) -> tuple[str, int] | None:
        """Features and their number of the dense layer that gives a tensor; None where something else gives it."""
        node = self.producers.get(name)
        if node is not None and node.op_type == "Add":
            computed = self.computed_inputs(node)
            node = self.producers.get(computed[0]) if len(computed) == 1 else None
        if node is None or node.op_type not in {"MatMul", "Gemm"} or _integer(node, "transA"):
            return None
        shape = self._weight(node.input[1])
        return None if shape is None or len(shape) != 2 else (node.input[0], shape[_integer(node, "transB")])

    def _weight(self, name: str) -> Shape | None:
        """The shape of a tensor that is the same for every image; None of one that is computed."""
        node = self.producers.get(name)
        if node is None:
            return self._weights.get(name)
        if node.op_type == "Constant":
            value = next((each.t for each in node.attribute if each.name == "value"), None)
            return () if value is None else tuple(numpy_helper.to_array(value).shape)
        return self._weight(node.input[0]) if node.op_type == "DequantizeLinear" else None


def _integer(node: NodeProto, attribute: str) -> int:
    return next((int(each.i) for each in node.attribute if each.name == attribute), 0)
