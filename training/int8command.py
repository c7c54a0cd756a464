"""`export --int8`: a verified graph in eight bits beside itself in float32, published only where that is worth it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from training.comparison import LEAST_RATIO, MOST_LOST, Comparison, Measured, require_worthwhile, set_side_by_side
from training.datasets import Images
from training.evaluation import evaluate, predicted_labels
from training.goldenimages import draw_images, make_golden
from training.publishing import Verified
from training.quantisation import choose_images, quantise
from training.run import Run
from training.runtime import open_graph
from training.stopwatch import Stopwatch, time_both

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
        evaluation=evaluate(probabilities, test, run.dataset.spec.labels),
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
