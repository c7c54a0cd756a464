"""The layer table of a graph: a row for each node, with ONNX's names and the graph's own order of axes."""

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
# These return their input, or compute numbers such as shapes for other nodes.
_OMITTED = {"Cast", "CastLike", "Constant", "ConstantOfShape", "Identity", "Shape"}

Table = tuple[tuple[Layer, ...], ParameterCounts]
Tensors = Mapping[str, TensorInfo]


def describe_layers(model: onnx.ModelProto, images: Images, spec: InputSpec, contract: Preprocessing) -> Table:
    """The rows, and the parameters in total.

    The shapes are measured by running some of the images, uint8 [N, height, width, channels].
    """
    model = onnx.inliner.inline_local_functions(model) if model.functions else model
    measured = measure_tensors(model, spec.name, _batches(images, spec, contract))
    weights = list(count_weights(model.graph))
    rows = [
        _row(node, own, measured, spec.batch or 1)
        for node, own in zip(model.graph.node, weights, strict=True)
        if own.total or _is_row(node, measured[0])
    ]
    return tuple(rows), _sum(weights)


def _batches(images: Images, spec: InputSpec, contract: Preprocessing) -> list[Tensor]:
    """Batches of one and of two images, which show the batch axis; or one of the length that the graph takes."""
    sizes = (1, 2) if spec.batch is None else (spec.batch,)
    return [normalize(np.resize(images, (size, *images.shape[1:])), spec, contract) for size in sizes]


def _is_row(node: onnx.NodeProto, tensors: Tensors) -> bool:
    """Whether the node computes something of images, not of their shape, which is a list of integers."""
    tensor = tensors.get(node.output[0])
    return node.op_type not in _OMITTED and tensor is not None and len(tensor.shape) > 1 and tensor.dtype != "int64"


def _row(node: onnx.NodeProto, weights: Weights, measured: Sequence[Tensors], images: int) -> Layer:
    shapes = {name: tensor.shape for name, tensor in measured[0].items()}
    return Layer(
        name=node.name or node.output[0],
        type=node.op_type,
        output_shape=_axes(*(tensors[node.output[0]].shape for tensors in measured)),
        parameters=weights.total,
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


def describe_window(node: onnx.NodeProto, shapes: Shapes) -> dict[str, Any]:
    """Members of the layer's row; none for nodes without a window."""
    if node.op_type in _KERNELS:
        first, _, *size = shapes[node.input[_KERNELS[node.op_type]]]
        filters = shapes[node.output[0]][1] if node.op_type == "ConvTranspose" else first
        return {"filters": filters, "kernel_size": tuple(size), **_steps(_attributes(node), len(size))}
    if node.op_type in _POOLINGS:
        size = _attributes(node)["kernel_shape"]
        return {"pool_size": tuple(size), **_steps(_attributes(node), len(size))}
    return {}


def _steps(attributes: Mapping[str, Any], axes: int) -> dict[str, Any]:
    return {"strides": tuple(attributes.get("strides", [1] * axes)), "padding": _padding(attributes)}


def _padding(attributes: Mapping[str, Any]) -> str:
    """`same` or `valid`, as in Keras, or the zeros on each side: top, left, bottom and right."""
    automatic = _AUTOMATIC.get(attributes.get("auto_pad", b"NOTSET").decode())
    pads = attributes.get("pads", [0])
    return automatic or (",".join(map(str, pads)) if any(pads) else "valid")


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
