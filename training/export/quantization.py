"""A float32 graph in eight-bit integers, by ONNX Runtime's static quantisation.

What follows was chosen by measuring on the textbook's networks; docs/training/bundles.md has the figures.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)
from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

from training.data.splits import Images, Split
from training.native_log import native_log_silenced

CALIBRATION = 512  # 128 and 2,048 give the textbook networks the same accuracy within 0.1 points
_BATCH = 32  # calibration holds every activation of a batch in memory

# In eight bits two classes 0.002 apart would be equal, and the softmax of a few numbers costs nothing.
_FLOAT = {"Softmax"}


def choose_images(train: Split, seed: int) -> Images:
    """The training images that a graph is calibrated on: CALIBRATION of them, or all where there are fewer."""
    count = min(CALIBRATION, len(train))
    return train.images[np.random.default_rng(seed).choice(len(train), count, replace=False)]


def quantise(graph: bytes, images: Images) -> bytes:
    """The graph with eight-bit weights and activations, whose ranges are those that the images reach.

    Takes and gives what the float32 graph does: uint8 `image` [N, height, width, channels], float32 `probabilities`.
    """
    with TemporaryDirectory() as folder, native_log_silenced():
        source, prepared, quantised = (Path(folder, f"{name}.onnx") for name in ("source", "prepared", "quantised"))
        source.write_bytes(graph)
        # Symbolic shapes need SymPy and are for transformers; ONNX's own inference finds those of a convolution.
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        _quantise(prepared, quantised, images)
        return quantised.read_bytes()


def _quantise(source: Path, target: Path, images: Images) -> None:
    quantize_static(
        source,
        target,
        _Calibration(onnx.load(source).graph.input[0].name, images),
        # Fused to the same integer kernels as QOperator, as fast; what has no such kernel stays in float32.
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=sorted({*QDQRegistry, *QLinearOpsRegistry} - _FLOAT),
        activation_type=QuantType.QUInt8,  # with signed ones graphs are 12 % slower here, as QOperator eight times
        weight_type=QuantType.QInt8,
        per_channel=True,  # as fast as one scale for all, and 98.7 instead of 97.6 % of CIFAR-10's labels stay
        # Weights of 7 bits. With 8, processors without VNNI add two products in 16 bits, which overflow: with AVX2's
        # kernels probabilities moved by up to 0.6, and 11 labels of 108 flipped. With 7 no sum can, and answers were
        # equal to the last bit. Costs nothing that can be told here.
        reduce_range=True,
        # Entropy gives the same ranges here, percentiles cut off what CIFAR-10 needs.
        calibrate_method=CalibrationMethod.MinMax,
        # Logits stay float32: the kernel has them as 32-bit sums anyway, and in eight bits they would lose the most.
        extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm", "MatMul"]},
    )


class _Calibration(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime ships no type information
    """Batches of images in the form that ONNX Runtime asks for."""

    def __init__(self, name: str, images: Images) -> None:
        self._batches: Iterator[dict[str, Images]] = iter(
            [{name: images[start : start + _BATCH]} for start in range(0, len(images), _BATCH)]
        )

    def get_next(self) -> dict[str, Images] | None:
        """ONNX Runtime's name for it."""
        return next(self._batches, None)
