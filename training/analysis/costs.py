"""Latency and accuracy of bundles side by side: each one's time for one image as a multiple of the first one's."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, PercentFormatter

from modelrepo.reader import Bundle
from training.errors import InvalidData
from training.evaluation.latency import Stopwatch, time_both
from training.evaluation.metrics import Interval, wilson_interval

_IMAGES = 64  # random pixels: the time does not depend on them
# Okabe and Ito's colors, for every kind of color vision, and as many markers for gray print.
_STYLES = (("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D"), ("#56b4e9", "v"), ("#e69f00", "P"))


@dataclass(frozen=True)
class Cost:
    """A bundle's accuracy, size, and time for one image, measured on one thread in turn with the baseline's."""

    label: str
    accuracy: float
    interval: Interval
    multiply_adds: int
    size: int  # bytes
    milliseconds: float
    ratio: float  # of the time to the baseline's


def measure_costs(bundles: Sequence[Bundle], stopwatch: Stopwatch = time_both) -> list[Cost]:
    """The costs of bundles, of which the first is the baseline.

    Raises InvalidData unless all take uint8 pixels in NHWC of one shape and were evaluated; imported ones were not.
    """
    baseline = bundles[0]
    shape = _shape(baseline)
    for bundle in bundles:
        _check_comparable(bundle, shape)
    images = np.random.default_rng(1).integers(0, 256, (_IMAGES, *shape), np.uint8)
    graph = baseline.model.read_bytes()
    return [_measure(bundle, stopwatch(graph, bundle.model.read_bytes(), images)) for bundle in bundles]


def draw_costs(title: str, costs: Sequence[Cost]) -> Figure:
    """Accuracy by relative time: a point a bundle with its 95 % interval, on a logarithmic scale of time."""
    figure = Figure(figsize=(7.4, 4.6), layout="constrained")
    axes = figure.subplots()
    for cost, (color, marker) in zip(costs, cycle(_STYLES), strict=False):
        reach = [[cost.accuracy - cost.interval[0]], [cost.interval[1] - cost.accuracy]]
        label = f"{cost.label}: {cost.accuracy:.2%} at {cost.ratio:.3g}×"
        axes.errorbar(
            cost.ratio, cost.accuracy, yerr=reach, color=color, marker=marker, markersize=7, capsize=4, label=label
        )
    axes.set_title(title, fontsize=13, fontweight="bold")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:.3g}×"))
    axes.set_xlabel(f"time for one image, by that of {costs[0].label} (logarithmic)")
    axes.set_ylabel("right on the test split")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.margins(0.12)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    return figure


def _check_comparable(bundle: Bundle, shape: tuple[int, int, int]) -> None:
    spec = bundle.metadata.input
    if _shape(bundle) != shape or (spec.dtype, spec.layout) != ("uint8", "NHWC"):
        raise InvalidData(
            f"{bundle.path} takes {spec.dtype} in {spec.layout} of {_shape(bundle)}: costs can be compared between "
            f"bundles that take uint8 in NHWC of one shape, here {shape}"
        )
    if "correct" not in bundle.metadata.evaluation:
        raise InvalidData(
            f"{bundle.path} does not say how many test images it gets right, as imported bundles do not: take one that "
            "`train` or `export` published"
        )


def _measure(bundle: Bundle, seconds: tuple[float, float]) -> Cost:
    metadata = bundle.metadata
    correct, examples = int(metadata.evaluation["correct"]), int(metadata.evaluation["examples"])
    return Cost(
        label=f"{metadata.name}/{metadata.version}",
        accuracy=correct / examples,
        interval=wilson_interval(correct, examples),
        multiply_adds=sum(layer.multiply_adds for layer in metadata.layers),
        size=bundle.model.stat().st_size,
        milliseconds=seconds[1] * 1000,
        ratio=seconds[1] / seconds[0],
    )


def _shape(bundle: Bundle) -> tuple[int, int, int]:
    size = bundle.metadata.input
    return size.height, size.width, size.channels
