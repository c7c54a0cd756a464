"""The picture of an experiment: how its variants learned, and what their accuracy costs."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator, PercentFormatter

from training.analysis.experiments import Outcome

# Blue, vermilion, bluish green and reddish purple of Okabe and Ito's "Color Universal Design" (2008), which people with
# every kind of colour vision tell apart; markers and dashes say the same once more, for print in grey.
_STYLES = (("#0072b2", "o", "-"), ("#d55e00", "s", "--"), ("#009e73", "^", "-."), ("#cc79a7", "D", ":"))
_MARGIN = 0.18  # of the width, for the labels beside the outermost points


def draw_experiment(title: str, outcomes: Sequence[Outcome]) -> Figure:
    """Validation accuracy by epoch, and accuracy on the test split with its 95 % interval, of at most four variants."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    figure.suptitle(title, fontsize=13, fontweight="bold")
    left, right = figure.subplots(1, 2)
    _draw_curves(left, outcomes)
    if len({outcome.multiply_adds for outcome in outcomes}) > 1:
        _draw_costs(right, outcomes)
    else:
        _draw_points(right, outcomes)
    left.set_title("Accuracy on the validation images")
    right.set_title("Accuracy on the test split, with 95 % intervals")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_curves(axes: Axes, outcomes: Sequence[Outcome]) -> None:
    for outcome, (colour, marker, line) in zip(outcomes, _STYLES, strict=False):
        curve = outcome.fitted.history["val_accuracy"]
        axes.plot(
            range(1, len(curve) + 1), curve, color=colour, marker=marker, linestyle=line, label=outcome.variant.label
        )
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.legend(frameon=False, loc="lower right")


def _draw_costs(axes: Axes, outcomes: Sequence[Outcome]) -> None:
    """Accuracy against multiply-adds, the costs on a logarithmic scale: twice the work is the same step everywhere."""
    for outcome, style in zip(outcomes, _STYLES, strict=False):
        axes.errorbar(outcome.multiply_adds, outcome.evaluation.accuracy, yerr=_reach(outcome), **_point(style))
        axes.annotate(
            f"{outcome.variant.label}\n{outcome.evaluation.accuracy:.2%}",
            (outcome.multiply_adds, outcome.evaluation.accuracy),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
        )
    costs = sorted(outcome.multiply_adds for outcome in outcomes)
    axes.set_xscale("log")
    axes.set_xlim(costs[0] / (costs[-1] / costs[0]) ** _MARGIN, costs[-1] * (costs[-1] / costs[0]) ** (2 * _MARGIN))
    axes.set_xticks(costs)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost / 1e6:.2g} M"))
    axes.set_xlabel("multiply-adds an image (logarithmic)")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))


def _draw_points(axes: Axes, outcomes: Sequence[Outcome]) -> None:
    """Accuracy by variant, a row each, where all cost the same."""
    for row, (outcome, style) in enumerate(zip(outcomes, _STYLES, strict=False)):
        axes.errorbar(outcome.evaluation.accuracy, row, xerr=_reach(outcome), **_point(style))
        axes.annotate(
            f"{outcome.evaluation.accuracy:.2%}",
            (outcome.evaluation.accuracy, row),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
        )
    axes.set_yticks(range(len(outcomes)), [outcome.variant.label for outcome in outcomes])
    axes.set_ylim(len(outcomes) - 0.5, -0.5)  # the first variant on top
    axes.set_xlabel(f"each at {outcomes[0].multiply_adds / 1e6:.2g} million multiply-adds an image")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=1))


def _point(style: tuple[str, str, str]) -> dict[str, Any]:
    colour, marker, _ = style
    return {"color": colour, "marker": marker, "markersize": 8, "capsize": 4, "linewidth": 1.2}


def _reach(outcome: Outcome) -> list[list[float]]:
    """The interval as Matplotlib wants it: how far below and how far above."""
    low, high = outcome.interval
    return [[outcome.evaluation.accuracy - low], [high - outcome.evaluation.accuracy]]
