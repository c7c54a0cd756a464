"""The table of layers of a graph: a row a node, in ONNX's words, with shapes as the graph has them."""

from collections.abc import Mapping

import numpy as np
import onnx
import onnx.inliner

from modelrepo.metadata import InputSpec, Layer, ParameterCounts, Preprocessing
from training.datasets import Images
from training.foreign.costs import multiply_adds
from training.foreign.measuring import Shape, Value, measure
from training.foreign.weights import Weights, count_weights
from training.foreign.windows import describe_window
from training.tensors import Tensor, make_tensor

# Hand on what they get, or make numbers for other nodes to count with.
_UNSHOWN = {"Cast", "CastLike", "Constant", "ConstantOfShape", "Identity", "Shape"}

Table = tuple[tuple[Layer, ...], ParameterCounts]
Values = Mapping[str, Value]


def table_graph(model: onnx.ModelProto, images: Images, spec: InputSpec, rules: Preprocessing) -> Table:
    """The rows and the parameters that they sum up to. The images, at least two, are run to see the shapes."""
    model = onnx.inliner.inline_local_functions(model) if model.functions else model
    measured = [measure(model, spec.name, batch) for batch in _batches(images, spec, rules)]
    weights = list(count_weights(model.graph))
    rows = [
        _row(node, own, measured, spec.batch or 1)
        for node, own in zip(model.graph.node, weights, strict=True)
        if own.total or _is_shown(node, measured[0])
    ]
    return tuple(rows), _sum(weights)


def _batches(images: Images, spec: InputSpec, rules: Preprocessing) -> list[Tensor]:
    """One image and two, which shows where the batch axis is; or one batch of the size that the graph takes."""
    sizes = (1, 2) if spec.batch is None else (spec.batch,)
    return [make_tensor(np.resize(images, (size, *images.shape[1:])), spec, rules) for size in sizes]


def _is_shown(node: onnx.NodeProto, values: Values) -> bool:
    """Whether it does something to images: not to their shape, which is a list of integers, nor nothing at all."""
    value = values.get(node.output[0])
    return node.op_type not in _UNSHOWN and value is not None and len(value.shape) > 1 and value.dtype != "int64"


def _row(node: onnx.NodeProto, own: Weights, measured: list[Values], images: int) -> Layer:
    shapes = {name: value.shape for name, value in measured[0].items()}
    return Layer(
        name=node.name or node.output[0],
        type=node.op_type,
        output_shape=_axes(*(values[node.output[0]].shape for values in measured)),
        parameters=own.total,
        multiply_adds=multiply_adds(node, shapes) // images,
        **describe_window(node, shapes),
    )


def _axes(first: Shape, *others: Shape) -> tuple[int | None, ...]:
    """The lengths of the axes, None for those that are longer with more images."""
    last = others[-1] if others else first
    return tuple(length if length == again else None for length, again in zip(first, last, strict=True))


def _sum(weights: list[Weights]) -> ParameterCounts:
    total, fixed = sum(each.total for each in weights), sum(each.non_trainable for each in weights)
    return ParameterCounts(total, total - fixed, fixed)
