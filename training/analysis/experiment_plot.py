"""The plot of an experiment: validation accuracy by epoch, and test accuracy by cost."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator, PercentFormatter

from training.analysis.experiments import Result

# Blue, vermilion, bluish green and reddish purple of Okabe and Ito's "Color Universal Design" (2008), distinct for
# every kind of color vision; markers and dashes differ, too, for gray print.
_STYLES = (("#0072b2", "o", "-"), ("#d55e00", "s", "--"), ("#009e73", "^", "-."), ("#cc79a7", "D", ":"))
_MARGIN = 0.18  # of the width, for the labels beside the outermost points


def draw_experiment(title: str, results: Sequence[Result]) -> Figure:
    """Validation accuracy by epoch, and accuracy on the test split with its 95 % interval, of at most four variants."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    figure.suptitle(title, fontsize=13, fontweight="bold")
    left, right = figure.subplots(1, 2)
    _draw_curves(left, results)
    if len({result.multiply_adds for result in results}) > 1:
        _draw_costs(right, results)
    else:
        _draw_points(right, results)
    left.set_title("Accuracy on the validation images")
    right.set_title("Accuracy on the test split, with 95 % intervals")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_curves(axes: Axes, results: Sequence[Result]) -> None:
    for result, (color, marker, line) in zip(results, _STYLES, strict=False):
        curve = result.fitted.history["val_accuracy"]
        axes.plot(
            range(1, len(curve) + 1), curve, color=color, marker=marker, linestyle=line, label=result.variant.label
        )
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.legend(frameon=False, loc="lower right")


def _draw_costs(axes: Axes, results: Sequence[Result]) -> None:
    """Accuracy by multiply-adds on a logarithmic scale: twice the cost is the same distance everywhere."""
    for result, style in zip(results, _STYLES, strict=False):
        axes.errorbar(result.multiply_adds, result.evaluation.accuracy, yerr=_reach(result), **_point(style))
        axes.annotate(
            f"{result.variant.label}\n{result.evaluation.accuracy:.2%}",
            (result.multiply_adds, result.evaluation.accuracy),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
        )
    costs = sorted(result.multiply_adds for result in results)
    axes.set_xscale("log")
    axes.set_xlim(costs[0] / (costs[-1] / costs[0]) ** _MARGIN, costs[-1] * (costs[-1] / costs[0]) ** (2 * _MARGIN))
    axes.set_xticks(costs)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost / 1e6:.2g} M"))
    axes.set_xlabel("multiply-adds an image (logarithmic)")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))


def _draw_points(axes: Axes, results: Sequence[Result]) -> None:
    """Accuracy by variant, a row each, for variants of equal cost."""
    for row, (result, style) in enumerate(zip(results, _STYLES, strict=False)):
        axes.errorbar(result.evaluation.accuracy, row, xerr=_reach(result), **_point(style))
        axes.annotate(
            f"{result.evaluation.accuracy:.2%}",
            (result.evaluation.accuracy, row),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
        )
    axes.set_yticks(range(len(results)), [result.variant.label for result in results])
    axes.set_ylim(len(results) - 0.5, -0.5)  # the first variant on top
    axes.set_xlabel(f"each at {results[0].multiply_adds / 1e6:.2g} million multiply-adds an image")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=1))


def _point(style: tuple[str, str, str]) -> dict[str, Any]:
    color, marker, _ = style
    return {"color": color, "marker": marker, "markersize": 8, "capsize": 4, "linewidth": 1.2}


def _reach(result: Result) -> list[list[float]]:
    """The interval in Matplotlib's form: the distances below and above."""
    low, high = result.interval
    return [[result.evaluation.accuracy - low], [high - result.evaluation.accuracy]]
