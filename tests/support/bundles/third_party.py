"""Image classifiers as other tools export them, with layouts, names and layers that this project's have not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Weights = Mapping[str, NDArray[Any]]

FILTERS = 16
GROUPS = 2


@dataclass(frozen=True)
class Kind:
    """What differs between exporters and networks."""

    size: int | None = 16
    classes: int = 5
    channels: int = 3
    batch: int | str = "batch_size"
    dtype: int = TensorProto.FLOAT
    layout: str = "NCHW"
    ending: Sequence[str] = ()  # operations behind the last layer
    gain: float = 1.0  # of the first layer: small where pixels come as 0 to 255
    seed: int = 1


PLAIN = Kind()


def classifier(kind: Kind = PLAIN) -> onnx.ModelProto:
    """As PyTorch writes it: Conv → BatchNormalization → Relu → MaxPool → Conv in groups → Relu → pool → Gemm.

    The input is called `input.1`, the output `495`. The weights are random, and so large that results differ.
    """
    nodes, size = _entrance(kind), kind.size or "height"
    nodes += [
        _conv("conv1", "pixels", "conv1.out", strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["conv1.out", *_names("bn1")], ["bn1.out"], "/bn1/BatchNormalization"),
        helper.make_node("Relu", ["bn1.out"], ["relu1.out"], "/relu1/Relu"),
        helper.make_node("MaxPool", ["relu1.out"], ["pool.out"], "/pool/MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
        _conv("conv2", "pool.out", "conv2.out", group=GROUPS, dilations=[2, 2], pads=[2, 2, 2, 2]),
        helper.make_node("Relu", ["conv2.out"], ["relu2.out"], "/relu2/Relu"),
        helper.make_node("GlobalAveragePool", ["relu2.out"], ["gap.out"], "/gap/GlobalAveragePool"),
        helper.make_node("Flatten", ["gap.out"], ["flat"], "/Flatten", axis=1),
        helper.make_node("Gemm", ["flat", "fc.weight", "fc.bias"], ["fc.out"], "/fc/Gemm", transB=1),
    ]
    axes = [kind.channels, size, size] if kind.layout == "NCHW" else [size, size, kind.channels]
    source = helper.make_tensor_value_info("input.1", kind.dtype, [kind.batch, *axes])
    target = helper.make_tensor_value_info("495", TensorProto.FLOAT, [kind.batch, kind.classes])
    graph = helper.make_graph([*nodes, *_exit(kind)], "main_graph", [source], [target], _weights(kind))
    made = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    made.producer_name, made.producer_version = "pytorch", "2.4.0"
    return made


def graph_of(nodes: Sequence[onnx.NodeProto], weights: Weights, **ends: Sequence[Any]) -> onnx.ModelProto:
    """A model of a few nodes; `x=[1, 3, 8, 8]` is its input and `y=[1, 4]`, the second, its output."""
    source, target = (helper.make_tensor_value_info(name, TensorProto.FLOAT, axes) for name, axes in ends.items())
    stored = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    graph = helper.make_graph(nodes, "g", [source], [target], stored)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def _entrance(kind: Kind) -> list[onnx.NodeProto]:
    """From the input to floats in NCHW, called `pixels`."""
    nodes, name = [], "input.1"
    if kind.layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [name], ["transposed"], perm=[0, 3, 1, 2]))
        name = "transposed"
    if kind.dtype != TensorProto.FLOAT:
        nodes.append(helper.make_node("Cast", [name], ["cast"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", ["cast", "unit"], ["scaled"]))
        name = "scaled"
    return [*nodes, helper.make_node("Identity", [name], ["pixels"])]


def _exit(kind: Kind) -> list[onnx.NodeProto]:
    names = ["fc.out", *(f"end{place}" for place in range(len(kind.ending))), "495"]
    nodes = [helper.make_node(each, [names[n]], [names[n + 1]]) for n, each in enumerate(kind.ending)]
    return [*nodes, helper.make_node("Identity", [names[-2]], ["495"])]


def _conv(name: str, source: str, target: str, **attributes: Any) -> onnx.NodeProto:
    inputs = [source, f"{name}.weight", f"{name}.bias"]
    return helper.make_node("Conv", inputs, [target], f"/{name}/Conv", kernel_shape=[3, 3], **attributes)


def _names(layer: str) -> list[str]:
    return [f"{layer}.{name}" for name in ("weight", "bias", "running_mean", "running_var")]


def _weights(kind: Kind) -> list[TensorProto]:
    rng = np.random.default_rng(kind.seed)
    shapes: dict[str, tuple[int, ...]] = {
        "conv1.weight": (FILTERS, kind.channels, 3, 3),
        "conv1.bias": (FILTERS,),
        **dict.fromkeys(_names("bn1"), (FILTERS,)),
        "conv2.weight": (FILTERS, FILTERS // GROUPS, 3, 3),
        "conv2.bias": (FILTERS,),
        "fc.weight": (kind.classes, FILTERS),
        "fc.bias": (kind.classes,),
    }
    drawn = {name: rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    drawn["conv1.weight"] *= np.float32(kind.gain)
    drawn["bn1.running_var"] = np.abs(drawn["bn1.running_var"]) + 1
    unit = numpy_helper.from_array(np.array(1 / 255, np.float32), "unit")
    return [*(numpy_helper.from_array(values, name) for name, values in drawn.items()), unit]
