import io

import numpy as np
import pytest
from PIL import Image

from tests.support.training.plots import error_bars, points, values
from training.analysis.experiment_plot import draw_experiment
from training.analysis.experiments import EXPERIMENTS, Experiment, Result
from training.data.splits import Dataset
from training.engine.trainer import Fit
from training.evaluation.metrics import Evaluation, evaluate
from training.plotting import as_png
from training.recipes import RECIPES

# Okabe and Ito's blue, vermilion, bluish green and reddish purple
COLOURS = [(0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167)]


@pytest.fixture
def evaluation(dataset: Dataset) -> Evaluation:
    return evaluate(np.full((40, 10), 0.1, np.float32), dataset.test, dataset.spec.class_names)


def results(experiment: Experiment, evaluation: Evaluation, costs: list[int]) -> list[Result]:
    curves = [[0.7 - 0.1 * place, 0.9 - 0.1 * place] for place in range(len(costs))]
    fits = [Fit({"val_accuracy": curve}, 1, 100, 20, throughput=None) for curve in curves]
    return [
        Result(variant, variant.vary(RECIPES["mnist"]), (7, 7, 64), 50_186, cost, fitted, evaluation)
        for variant, cost, fitted in zip(experiment.variants, costs, fits, strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "costs"),
    [
        pytest.param("pooling", [3_869_824] * 3, id="equal costs"),
        pytest.param("filters", [290_080, 1_031_744, 3_869_824, 14_964_992], id="different costs"),
    ],
)
def test_the_plot_has_the_curve_and_the_accuracy_of_every_variant(
    name: str, costs: list[int], evaluation: Evaluation
) -> None:
    drawn = results(EXPERIMENTS[name], evaluation, costs)

    curves, accuracies = draw_experiment("digits", drawn).axes

    assert [values(line) for line in curves.get_lines()] == [o.fitted.history["val_accuracy"] for o in drawn]
    assert [line.get_label() for line in curves.get_lines()] == [o.variant.label for o in drawn]
    places = [points(bar.lines[0])[0] for bar in error_bars(accuracies)]
    accuracy = evaluation.accuracy
    if len(set(costs)) > 1:
        assert places == [[cost, accuracy] for cost in costs]
    else:
        assert places == [[accuracy, row] for row in range(len(costs))]


@pytest.mark.parametrize(
    ("name", "costs"),
    [
        pytest.param("pooling", [3_869_824] * 3, id="equal costs"),
        pytest.param("filters", [290_080, 1_031_744, 3_869_824, 14_964_992], id="different costs"),
    ],
)
def test_the_plot_is_a_png_of_a_readable_size(name: str, costs: list[int], evaluation: Evaluation) -> None:
    plot = draw_experiment("digits", results(EXPERIMENTS[name], evaluation, costs))

    picture = Image.open(io.BytesIO(as_png(plot)))
    assert picture.format == "PNG"
    assert 1000 < picture.width < 2000
    assert 400 < picture.height < 1000


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS.keys())
def test_every_variant_of_every_experiment_has_its_own_color(experiment: Experiment, evaluation: Evaluation) -> None:
    costs = [10**place for place in range(len(experiment.variants))]

    plot = draw_experiment("digits", results(experiment, evaluation, costs))

    picture = Image.open(io.BytesIO(as_png(plot))).convert("RGB")
    counts = {colour: count for count, colour in picture.getcolors(picture.width * picture.height) or []}
    areas = [counts.get(colour, 0) for colour in COLOURS]
    assert [area > 100 for area in areas] == [place < len(costs) for place in range(len(COLOURS))]
