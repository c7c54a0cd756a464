"""`--int8`: a checked graph quantized by ONNX Runtime, and published only where it is faster and as accurate.

The settings were chosen by measuring on the textbook's networks; docs/training/bundles.md has the figures.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

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

from training.data.splits import Dataset, Images, Split
from training.errors import NotWorthwhile
from training.evaluation.golden_images import draw_images, make_golden
from training.evaluation.latency import Stopwatch, time_both
from training.evaluation.metrics import Probabilities, predicted_labels
from training.evaluation.onnx_inference import open_graph
from training.export.to_onnx import Exported
from training.native_log import native_log_silenced

# One image in 333: about the standard error of an accuracy near 90 % on 10,000 images, so a loss within the noise.
MOST_LOST = 0.003
# Two measurements of one pair differ by 1 %. What is gained must be worth labels that are no longer Keras's, too.
LEAST_RATIO = 1.05

CALIBRATION = 512  # 128 and 2,048 give the textbook networks the same accuracy within 0.1 points
_BATCH = 32  # calibration holds every activation of a batch in memory

# In eight bits two classes 0.002 apart would be equal, and the softmax of a few numbers costs nothing.
_FLOAT = {"Softmax"}

Quantize = Callable[[bytes, Images], bytes]

# Where another kernel rounds an activation to the next of its 256 levels, everything behind it moves. With all steps
# in float32, the farthest from the integer kernels, probabilities of three networks moved by up to 0.006 over 10,000
# images and 0.0002 over golden ones. Sums that overflow, which must not be served, moved golden ones by 0.2.
TOLERANCE = 1e-2


@dataclass(frozen=True)
class Figures:
    """One graph: right answers on the test split, bytes of its file, median milliseconds for an image on one thread."""

    correct: int
    accuracy: float
    size: int
    milliseconds: float


@dataclass(frozen=True)
class Comparison:
    """Both graphs on the same test split and, in turn, on the same thread.

    `largest_difference` is that of any probability, `labels_equal` the share of images that both give the same label.
    """

    examples: int
    float32: Figures
    int8: Figures
    largest_difference: float
    labels_equal: float

    @property
    def ratio(self) -> float:
        """How many times as fast the eight-bit graph is."""
        return self.float32.milliseconds / self.int8.milliseconds

    def to_json(self) -> dict[str, Any]:
        """The record as it stands in the bundle's metadata."""
        return {**asdict(self), "ratio": self.ratio}


@dataclass(frozen=True)
class Measured:
    """One graph's answers to the test split, its bytes, and its seconds for one image."""

    probabilities: Probabilities
    size: int
    seconds: float


def compare(float32: Measured, int8: Measured, test: Split) -> Comparison:
    """The comparison of two graphs' answers to the test split."""
    same = predicted_labels(float32.probabilities) == predicted_labels(int8.probabilities)
    return Comparison(
        examples=len(test.labels),
        float32=_figures(float32, test),
        int8=_figures(int8, test),
        largest_difference=float(np.abs(float32.probabilities - int8.probabilities).max()),
        labels_equal=float(same.mean()),
    )


def check_worth_it(comparison: Comparison) -> None:
    """Raise NotWorthwhile unless the graph loses next to nothing and is clearly faster on this machine."""
    lost = comparison.float32.correct - comparison.int8.correct
    reasons = []
    if lost > MOST_LOST * comparison.examples:
        points = 100 * lost / comparison.examples
        reasons.append(f"loses {points:.2f} points of accuracy (at most {100 * MOST_LOST:.1f} are allowed)")
    if not comparison.ratio >= LEAST_RATIO:
        reasons.append(f"is {comparison.ratio:.2f} times as fast here (at least {LEAST_RATIO:.2f} is asked for)")
    if reasons:
        raise NotWorthwhile(
            f"in eight bits the network {' and '.join(reasons)}: nothing was published; leave out --int8 to publish "
            "it in float32"
        )


def _figures(measured: Measured, test: Split) -> Figures:
    correct = int((predicted_labels(measured.probabilities) == test.labels).sum())
    return Figures(correct, correct / len(test.labels), measured.size, 1000 * measured.seconds)


def choose_images(train: Split, seed: int) -> Images:
    """The training images that a graph is calibrated on: CALIBRATION of them, or all where there are fewer."""
    count = min(CALIBRATION, len(train.labels))
    return train.images[np.random.default_rng(seed).choice(len(train.labels), count, replace=False)]


def quantize(graph: bytes, images: Images) -> bytes:
    """The graph with eight-bit weights and activations, whose ranges are those that the images reach.

    Takes and gives what the float32 graph does: uint8 `image` [N, height, width, channels], float32 `probabilities`.
    """
    with TemporaryDirectory() as folder, native_log_silenced():
        source, prepared, quantized = (Path(folder, f"{name}.onnx") for name in ("source", "prepared", "quantized"))
        source.write_bytes(graph)
        # Symbolic shapes need SymPy and are for transformers; ONNX's own inference finds those of a convolution.
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        _quantize(prepared, quantized, images)
        return quantized.read_bytes()


def _quantize(source: Path, target: Path, images: Images) -> None:
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
        # equal to the last bit. It costs no measurable accuracy.
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


@dataclass(frozen=True)
class Int8:
    """How a graph is quantized and timed."""

    quantize: Quantize = quantize
    time: Stopwatch = time_both


def quantize_checked(float32: Exported, dataset: Dataset, seed: int, int8: Int8) -> Exported:
    """The checked graph in 8 bits, with its own probabilities and golden images; prints both graphs' figures.

    Raises NotWorthwhile where it loses too much accuracy or is not clearly faster.
    """
    test = dataset.test
    images = choose_images(dataset.train, seed)
    graph = int8.quantize(float32.graph, images)
    drawn = draw_images(*dataset.spec.shape)
    classify = open_graph(graph)
    probabilities, golden = classify(test.images), classify(drawn)
    seconds = int8.time(float32.graph, graph, test.images)
    comparison = compare(
        Measured(float32.graph_probabilities, len(float32.graph), seconds[0]),
        Measured(probabilities, len(graph), seconds[1]),
        test,
    )
    _print(comparison)
    check_worth_it(comparison)
    return Exported(
        graph=graph,
        probabilities=probabilities,
        graph_probabilities=probabilities,
        parity=_describe_parity(comparison),
        golden=make_golden(drawn, golden, TOLERANCE),
        origin={"quantisation": _describe(float32, comparison, len(images))},
    )


def _describe(float32: Exported, comparison: Comparison, calibrated: int) -> dict[str, Any]:
    """How the graph came about and what it gains and loses, as it stands in the bundle's metadata."""
    return {
        "weights": "int8, 7 bits used, one scale a channel",
        "activations": "uint8",
        "calibration": {"split": "train", "images": calibrated},
        "rule": {"most_accuracy_lost": MOST_LOST, "least_ratio": LEAST_RATIO},
        "comparison": comparison.to_json(),
        "float32_parity": float32.parity,
    }


def _describe_parity(comparison: Comparison) -> dict[str, Any]:
    """What the graph has of Keras's answers; there is no tolerance, for it is not Keras's equal."""
    return {
        "compared": "the eight-bit graph with the float32 one, whose answers are Keras's",
        "images": comparison.examples,
        "largest_difference": comparison.largest_difference,
        "labels_equal": comparison.labels_equal == 1,
        "share_of_labels_equal": comparison.labels_equal,
    }


def _print(comparison: Comparison) -> None:
    float32, int8 = comparison.float32, comparison.int8
    print(f"{'':<15} {'float32':>12} {'int8':>12}")
    print(f"{'test accuracy':<15} {float32.accuracy:>12.2%} {int8.accuracy:>12.2%}")
    print(f"{'size in bytes':<15} {float32.size:>12,} {int8.size:>12,}")
    print(f"{'ms for an image':<15} {float32.milliseconds:>12.3f} {int8.milliseconds:>12.3f}", end="")
    print(f"   {comparison.ratio:.2f} times as fast, on one thread")
    print(f"{'labels equal':<15} {comparison.labels_equal:.2%} of {comparison.examples:,}", end="")
    print(f", probabilities within {comparison.largest_difference:.3f}")
