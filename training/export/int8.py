"""`export --int8`: a verified graph in eight bits beside itself in float32, published only where that is worth it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from training.data.splits import Images, Split
from training.errors import NotWorthwhile
from training.evaluation.golden_images import draw_images, make_golden
from training.evaluation.latency import Stopwatch, time_both
from training.evaluation.metrics import Probabilities, evaluate, predicted_labels
from training.evaluation.onnx_inference import open_graph
from training.export.publish import Verified
from training.export.quantization import choose_images, quantise
from training.run import Run

# One image in 333: about the standard error of an accuracy near 90 % on 10,000 images, so a loss that nobody can tell.
MOST_LOST = 0.003
# Two measurements of one pair differ by 1 %. What is gained must be worth labels that are no longer Keras's, too.
LEAST_RATIO = 1.05


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


def set_side_by_side(float32: Measured, int8: Measured, test: Split) -> Comparison:
    """The comparison of two graphs' answers to the test split."""
    same = predicted_labels(float32.probabilities) == predicted_labels(int8.probabilities)
    return Comparison(
        examples=len(test),
        float32=_figures(float32, test),
        int8=_figures(int8, test),
        largest_difference=float(np.abs(float32.probabilities - int8.probabilities).max()),
        labels_equal=float(same.mean()),
    )


def require_worthwhile(comparison: Comparison) -> None:
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
    return Figures(correct, correct / len(test), measured.size, 1000 * measured.seconds)


Quantise = Callable[[bytes, Images], bytes]

# Where another kernel rounds an activation to the next of its 256 levels, everything behind it moves. With all steps
# in float32, the farthest from the integer kernels, probabilities of three networks moved by up to 0.006 over 10,000
# images and 0.0002 over golden ones. Sums that overflow, which must not be served, moved golden ones by 0.2.
TOLERANCE = 1e-2


def in_eight_bits(run: Run, verified: Verified, time: Stopwatch = time_both, quantise: Quantise = quantise) -> Verified:
    """The verified graph in eight bits, with its own evaluation and golden images; prints both graphs' figures.

    Raises NotWorthwhile where it loses too much accuracy or is not clearly faster.
    """
    test = run.dataset.test
    calibration = choose_images(run.dataset.train, run.recipe.seed)
    graph = quantise(verified.graph, calibration)
    classify = open_graph(graph)
    probabilities = classify(test.images)
    seconds = time(verified.graph, graph, test.images)
    comparison = set_side_by_side(
        Measured(open_graph(verified.graph)(test.images), len(verified.graph), seconds[0]),
        Measured(probabilities, len(graph), seconds[1]),
        test,
    )
    _print(comparison)
    require_worthwhile(comparison)
    drawn = draw_images(*run.dataset.spec.shape)
    return replace(
        verified,
        graph=graph,
        labels=predicted_labels(probabilities),
        evaluation=evaluate(probabilities, test, run.dataset.spec.class_names),
        parity=_describe_parity(comparison),
        golden=make_golden(drawn, classify(drawn), TOLERANCE),
        origin={"quantisation": _describe(verified, comparison, len(calibration))},
    )


def _describe(verified: Verified, comparison: Comparison, calibrated: int) -> dict[str, Any]:
    """How the graph came about and what it gains and loses, as it stands in the bundle's metadata."""
    return {
        "weights": "int8, 7 bits used, one scale a channel",
        "activations": "uint8",
        "calibration": {"split": "train", "images": calibrated},
        "rule": {"most_accuracy_lost": MOST_LOST, "least_ratio": LEAST_RATIO},
        "comparison": comparison.to_json(),
        "float32_parity": verified.parity,
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
