"""The table of layers of a graph: a row a node, in ONNX's words, with shapes as the graph has them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnx.inliner

from modelrepo.metadata import InputSpec, Layer, ParameterCounts, Preprocessing
from preprocessing.pipeline import normalize
from training.data.splits import Images
from training.evaluation.onnx_inference import Shape, Tensor, TensorInfo, measure_tensors
from training.onnx_import.counts import Shapes, Weights, count_weights, multiply_adds

_KERNELS = {"Conv": 1, "ConvInteger": 1, "ConvTranspose": 1, "QLinearConv": 3}  # which input the kernel is
_POOLINGS = {"AveragePool", "LpPool", "MaxPool"}
_AUTOMATIC = {"SAME_LOWER": "same", "SAME_UPPER": "same", "VALID": "valid"}


def describe_window(node: onnx.NodeProto, shapes: Shapes) -> dict[str, Any]:
    """Members of the layer's row; none for nodes without a window."""
    if node.op_type in _KERNELS:
        filters, _, *size = shapes[node.input[_KERNELS[node.op_type]]]
        counted = {"filters": shapes[node.output[0]][1]} if node.op_type == "ConvTranspose" else {"filters": filters}
        return {**counted, "kernel_size": tuple(size), **_steps(_attributes(node), len(size))}
    if node.op_type in _POOLINGS:
        size = _attributes(node)["kernel_shape"]
        return {"pool_size": tuple(size), **_steps(_attributes(node), len(size))}
    return {}


def _steps(attributes: Mapping[str, Any], axes: int) -> dict[str, Any]:
    return {"strides": tuple(attributes.get("strides", [1] * axes)), "padding": _padding(attributes)}


def _padding(attributes: Mapping[str, Any]) -> str:
    """Keras's word where the graph says as much, else the zeros on each side: top, left, bottom and right."""
    automatic = _AUTOMATIC.get(attributes.get("auto_pad", b"NOTSET").decode())
    pads = attributes.get("pads", [0])
    return automatic or (",".join(map(str, pads)) if any(pads) else "valid")


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}


# Hand on what they get, or make numbers for other nodes to count with.
_UNSHOWN = {"Cast", "CastLike", "Constant", "ConstantOfShape", "Identity", "Shape"}

Table = tuple[tuple[Layer, ...], ParameterCounts]
Tensors = Mapping[str, TensorInfo]


def table_graph(model: onnx.ModelProto, images: Images, spec: InputSpec, rules: Preprocessing) -> Table:
    """The rows and the parameters that they sum up to. The images, at least two, are run to see the shapes."""
    model = onnx.inliner.inline_local_functions(model) if model.functions else model
    measured = measure_tensors(model, spec.name, _batches(images, spec, rules))
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
    return [normalize(np.resize(images, (size, *images.shape[1:])), spec, rules) for size in sizes]


def _is_shown(node: onnx.NodeProto, tensors: Tensors) -> bool:
    """Whether it does something to images: not to their shape, which is a list of integers, nor nothing at all."""
    tensor = tensors.get(node.output[0])
    return node.op_type not in _UNSHOWN and tensor is not None and len(tensor.shape) > 1 and tensor.dtype != "int64"


def _row(node: onnx.NodeProto, own: Weights, measured: Sequence[Tensors], images: int) -> Layer:
    shapes = {name: tensor.shape for name, tensor in measured[0].items()}
    return Layer(
        name=node.name or node.output[0],
        type=node.op_type,
        output_shape=_axes(*(tensors[node.output[0]].shape for tensors in measured)),
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
