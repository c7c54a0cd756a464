"""The picture of accuracy against cost."""

from collections.abc import Sequence
from itertools import cycle

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, PercentFormatter

from training.canvas import as_png
from training.costs import Cost

# Okabe and Ito's colours, for every kind of colour vision, and as many markers for print in grey.
_STYLES = (("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D"), ("#56b4e9", "v"), ("#e69f00", "P"))


def draw_costs(title: str, costs: Sequence[Cost]) -> bytes:
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
    return as_png(figure)
