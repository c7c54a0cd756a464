"""ONNX Runtime behind one function type: nothing else knows its sessions, and a fake in a test is a lambda."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, OutputSpec
from service.errors import public_text

Batch = NDArray[Any]  # what the graph takes: [N, H, W, C] or [N, C, H, W]
Scores = NDArray[np.float32]  # [N, classes]
Model = Callable[[Batch], Scores]

SILENT = 4  # of its log, which it would write to standard error itself; its exceptions say the same
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

    def model(batch: Batch) -> Scores:
        if len(batch) <= size and inputs.batch is None:
            return _run(session, inputs.name, outputs.name, batch)
        whole = _padded(batch, size) if inputs.batch else batch
        parts = [whole[start : start + size] for start in range(0, len(whole), size)]
        return np.concatenate([_run(session, inputs.name, outputs.name, part) for part in parts])[: len(batch)]

    return model


def _open(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1  # these networks are chains: there is nothing to run beside
    options.log_severity_level = SILENT
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # it starves the other workers
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no common base below Exception
        raise UnusableGraph(f"ONNX Runtime cannot load {path.name}: {public_text(error)}") from error


def _check_graph(session: onnxruntime.InferenceSession, inputs: InputSpec, outputs: OutputSpec) -> None:
    if inputs.name not in {each.name for each in session.get_inputs()}:
        raise UnusableGraph(f"the graph has no input {inputs.name!r}")
    if outputs.name not in {each.name for each in session.get_outputs()}:
        raise UnusableGraph(f"the graph has no output {outputs.name!r}")


def _run(session: onnxruntime.InferenceSession, source: str, target: str, batch: Batch) -> Scores:
    scores: Scores = session.run([target], {source: batch})[0]
    return scores


def _padded(batch: Batch, size: int) -> Batch:
    """The batch, with zeros behind it up to a multiple of the size that the graph insists on."""
    padding = np.zeros((-len(batch) % size, *batch.shape[1:]), batch.dtype)
    return np.concatenate([batch, padding])
