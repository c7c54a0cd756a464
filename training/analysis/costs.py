"""What bundles' networks cost for one image, as multiples of the first one's time, against how accurate they are."""

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

_IMAGES = 64  # drawn at random: the time does not depend on what is in an image


@dataclass(frozen=True)
class Cost:
    """A bundle's figures; `ratio` is its time for one image by the baseline's, measured in turn on one thread."""

    label: str
    accuracy: float
    interval: Interval
    multiply_adds: int
    size: int
    milliseconds: float
    ratio: float


def measure_costs(bundles: Sequence[Bundle], watch: Stopwatch = time_both) -> list[Cost]:
    """The first bundle is the baseline; raises InvalidData where they cannot be compared.

    They must take uint8 pixels in NHWC of one shape and have been evaluated, which imported ones may not have been.
    """
    baseline = bundles[0]
    shape = _shape(baseline)
    for bundle in bundles:
        _require_comparable(bundle, shape)
    images = np.random.default_rng(1).integers(0, 256, (_IMAGES, *shape), np.uint8)
    graph = baseline.model.read_bytes()
    return [_measure(bundle, watch(graph, bundle.model.read_bytes(), images)) for bundle in bundles]


def _require_comparable(bundle: Bundle, shape: tuple[int, int, int]) -> None:
    taken = bundle.metadata.input
    if _shape(bundle) != shape or (taken.dtype, taken.layout) != ("uint8", "NHWC"):
        raise InvalidData(
            f"{bundle.path} takes {taken.dtype} in {taken.layout} of {_shape(bundle)}: costs can be compared between "
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


# Okabe and Ito's colours, for every kind of colour vision, and as many markers for print in grey.
_STYLES = (("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D"), ("#56b4e9", "v"), ("#e69f00", "P"))


def draw_costs(title: str, costs: Sequence[Cost]) -> Figure:
    """A point a bundle with its 95 % interval; twice the cost is the same step everywhere."""
    figure = Figure(figsize=(7.4, 4.6), layout="constrained")
    axes = figure.subplots()
    for cost, (colour, marker) in zip(costs, cycle(_STYLES), strict=False):
        reach = [[cost.accuracy - cost.interval[0]], [cost.interval[1] - cost.accuracy]]
        label = f"{cost.label}: {cost.accuracy:.2%} at {cost.ratio:.3g}×"
        axes.errorbar(
            cost.ratio, cost.accuracy, yerr=reach, color=colour, marker=marker, markersize=7, capsize=4, label=label
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
