"""ONNX Runtime behind one function type: nothing else knows its sessions, and a fake in a test is a lambda."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, OutputSpec
from service.errors import public_text

Batch = NDArray[Any]  # what the graph takes: [N, H, W, C] or [N, C, H, W]
Scores = NDArray[np.float32]  # [N, classes]


class ModelOutputs(NamedTuple):
    """What the graph gives for a batch: scores [N, classes] and, of one that has them, outlier scores [N]."""

    scores: Scores
    outlier_scores: NDArray[np.float32] | None = None


Model = Callable[[Batch], ModelOutputs]

SILENT = 4  # of its log, which it would write to standard error itself; its exceptions say the same
# an ONNX file (IR 8, opset 13) of one node: y = Identity(x), float32 [1]
_IDENTITY = bytes.fromhex(
    "08083a370a100a017812017922084964656e746974791201675a0f0a0178120a0a08080112040a020801"
    "620f0a0179120a0a08080112040a02080142040a00100d"
)

_TENSORS = {"uint8": "tensor(uint8)", "float32": "tensor(float)"}  # of a dtype, as ONNX Runtime names it

MAX_BATCH = 32  # images in one run: more gain nothing on a CPU and make the activations' memory unbounded


class UnusableGraph(Exception):
    """The ONNX file cannot be loaded, or it does not have the input and output that the metadata says."""


def load_model(path: Path, inputs: InputSpec, outputs: OutputSpec, threads: int) -> Model:
    """Open an ONNX file on the CPU with `threads` threads; raises UnusableGraph.

    Call this in the process that will use the model: a session does not survive a fork. The model may be called
    from several threads at once.
    """
    onnxruntime.set_default_logger_severity(SILENT)
    session = _open(path, threads)
    _check_graph(session, inputs, outputs)
    size = inputs.batch or MAX_BATCH
    names = [outputs.name] if outputs.outlier_output is None else [outputs.name, outputs.outlier_output]

    def model(batch: Batch) -> ModelOutputs:
        if len(batch) <= size and inputs.batch is None:
            return ModelOutputs(*session.run(names, {inputs.name: batch}))
        whole = _padded(batch, size) if inputs.batch else batch
        parts = [session.run(names, {inputs.name: whole[at : at + size]}) for at in range(0, len(whole), size)]
        return ModelOutputs(*(np.concatenate(each)[: len(batch)] for each in zip(*parts, strict=True)))

    return model


def warm_up_runtime() -> None:
    """Open and run the smallest graph, so that ONNX Runtime has its tables of operators before the process forks.

    With one thread the session starts none, and nothing uses it in the forks.
    """
    session = onnxruntime.InferenceSession(_IDENTITY, _options(threads=1), providers=["CPUExecutionProvider"])
    session.run(None, {"x": np.zeros(1, np.float32)})


def _open(path: Path, threads: int) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(path, _options(threads), providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no common base below Exception
        raise UnusableGraph(f"ONNX Runtime cannot load {path.name}: {public_text(error)}") from error


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1  # these networks are chains: there is nothing to run beside
    options.log_severity_level = SILENT
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # it starves the other workers
    return options


def _check_graph(session: onnxruntime.InferenceSession, inputs: InputSpec, outputs: OutputSpec) -> None:
    if inputs.name not in {each.name for each in session.get_inputs()}:
        raise UnusableGraph(f"the graph has no input {inputs.name!r}")
    if outputs.name not in {each.name for each in session.get_outputs()}:
        raise UnusableGraph(f"the graph has no output {outputs.name!r}")
    pixels = (inputs.height, inputs.width)
    sides = (*pixels, inputs.channels) if inputs.layout == "NHWC" else (inputs.channels, *pixels)
    taken = next(each for each in session.get_inputs() if each.name == inputs.name)
    given = next(each for each in session.get_outputs() if each.name == outputs.name)
    if taken.type != _TENSORS[inputs.dtype]:
        raise UnusableGraph(f"the graph takes a {taken.type}, the metadata says {inputs.dtype}")
    _check_shape("takes", taken.shape, (inputs.batch, *sides))
    _check_shape("gives", given.shape, (inputs.batch, outputs.classes))
    if outputs.outlier_output is not None:
        _check_outlier_output(session, outputs.outlier_output, inputs.batch)


def _check_outlier_output(session: onnxruntime.InferenceSession, name: str, batch: int | None) -> None:
    output = next((each for each in session.get_outputs() if each.name == name), None)
    if output is None:
        raise UnusableGraph(f"the graph has no output {name!r}")
    if output.type != _TENSORS["float32"]:
        raise UnusableGraph(f"the graph's output {name!r} is a {output.type}, outlier scores are float32")
    _check_shape(f"gives as {name}", output.shape, (batch,))


def _check_shape(verb: str, shape: Sequence[int | str | None], claimed: Sequence[int | None]) -> None:
    """Compare what the graph says of a tensor with the metadata; an axis without a number may be of any length."""
    if not shape:  # the graph says nothing
        return
    pairs = zip(shape, claimed, strict=False)
    if len(shape) != len(claimed) or any(isinstance(axis, int) and axis != length for axis, length in pairs):
        sides = " × ".join("any" if length is None else str(length) for length in claimed)
        graph = " × ".join(str(axis) if isinstance(axis, int) else "any" for axis in shape)
        raise UnusableGraph(f"the graph {verb} {graph}, the metadata says {sides}")


def _padded(batch: Batch, size: int) -> Batch:
    """The batch, with zeros behind it up to a multiple of the size that the graph insists on."""
    padding = np.zeros((-len(batch) % size, *batch.shape[1:]), batch.dtype)
    return np.concatenate([batch, padding])
