"""The shape of every value in a graph, measured: inference gives up where a graph computes shapes, a run does not."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime

from training.tensors import Tensor

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Value:
    """What a node gave for one batch: its axes and NumPy's name of its type."""

    shape: Shape
    dtype: str


def measure(model: onnx.ModelProto, name: str, batch: Tensor) -> Mapping[str, Value]:
    """All values of a graph by name for one batch: its input, its weights, and what its nodes give."""
    outputs = [output for node in model.graph.node for output in node.output if output]
    session = onnxruntime.InferenceSession(
        _with_outputs(model, outputs), _options(), providers=["CPUExecutionProvider"]
    )
    given = zip(outputs, session.run(outputs, {name: batch}), strict=True)
    found = {output: Value(value.shape, value.dtype.name) for output, value in given if isinstance(value, np.ndarray)}
    return {name: Value(batch.shape, batch.dtype.name), **_initial(model.graph), **found}


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # it runs once
    return options


def _with_outputs(model: onnx.ModelProto, outputs: list[str]) -> bytes:
    """The model with every value of it among the outputs, whose types ONNX Runtime finds by itself."""
    told = onnx.ModelProto()
    told.CopyFrom(model)
    del told.graph.output[:]
    told.graph.output.extend(onnx.ValueInfoProto(name=output) for output in outputs)
    return bytes(told.SerializeToString())


def _initial(graph: onnx.GraphProto) -> dict[str, Value]:
    kinds = {tensor.name: onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).name for tensor in graph.initializer}
    return {tensor.name: Value(tuple(tensor.dims), kinds[tensor.name]) for tensor in graph.initializer}
