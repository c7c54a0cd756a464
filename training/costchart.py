"""The picture of accuracy against cost."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from training.canvas import BLUE, as_png
from training.costs import Cost

_MARGIN = 1.6  # times the outermost costs, for the labels beside the points


def draw_costs(title: str, costs: Sequence[Cost]) -> bytes:
    """A point a bundle with its 95 % interval; twice the cost is the same step everywhere."""
    figure = Figure(figsize=(7.4, 4.6), layout="constrained")
    axes = figure.subplots()
    for cost in costs:
        reach = [[cost.accuracy - cost.interval[0]], [cost.interval[1] - cost.accuracy]]
        axes.errorbar(cost.ratio, cost.accuracy, yerr=reach, marker="o", markersize=7, capsize=4, color=BLUE)
        axes.annotate(
            f"{cost.label}\n{cost.accuracy:.2%}",
            (cost.ratio, cost.accuracy),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            parse_math=False,
        )
    ratios = sorted({round(cost.ratio, 1) for cost in costs})
    axes.set_title(title, fontsize=13, fontweight="bold")
    axes.set_xscale("log")
    axes.set_xlim(ratios[0] / _MARGIN, ratios[-1] * _MARGIN**2)
    axes.set_xticks(ratios)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:.3g}×"))
    axes.set_xlabel(f"time for one image, by that of {costs[0].label} (logarithmic)")
    axes.set_ylabel("right on the test split")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return as_png(figure)
