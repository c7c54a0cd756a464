import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from training.data.splits import Dataset
from training.evaluation.metrics import evaluate
from training.evaluation.plots import draw_confusion, draw_grid, draw_history

CURVES = {name: [0.3, 0.2] for name in ("loss", "val_loss", "accuracy", "val_accuracy")}


def width(chart: bytes) -> int:
    return Image.open(io.BytesIO(chart)).width


def test_every_chart_is_a_picture_of_a_readable_size(dataset: Dataset) -> None:
    evaluation = evaluate(np.full((40, 10), 0.1, np.float32), dataset.test, dataset.spec.labels)

    charts = [draw_history("digits", CURVES), draw_confusion("digits", evaluation), draw_grid(dataset)]

    for chart in charts:
        picture = Image.open(io.BytesIO(chart))
        assert picture.format == "PNG"
        assert min(picture.size) > 400


@pytest.mark.parametrize("name", ["$5_$", "$"])
def test_dollars_in_names_are_no_formulas(dataset: Dataset, name: str) -> None:
    spec = replace(dataset.spec, name=name, labels=(name, *dataset.spec.labels[1:]))

    charts = [draw_history(name, CURVES), draw_grid(replace(dataset, spec=spec))]

    assert all(chart.startswith(b"\x89PNG") for chart in charts)


def test_a_schedule_of_the_learning_rate_is_a_third_panel() -> None:
    scheduled = draw_history("digits", {**CURVES, "learning_rate": [0.1, 0.05]})

    assert width(scheduled) > 1.4 * width(draw_history("digits", CURVES))


@pytest.mark.parametrize("missing", [["val_loss"], ["val_accuracy"], ["val_loss", "val_accuracy"]])
def test_what_was_not_watched_has_one_curve(missing: list[str]) -> None:
    watched = {name: values for name, values in CURVES.items() if name not in missing}

    assert draw_history("digits", watched) != draw_history("digits", CURVES)


def test_many_epochs_are_a_line_without_dots() -> None:
    long = {name: [0.3, 0.2] * 100 for name in CURVES}

    assert width(draw_history("digits", long)) == width(draw_history("digits", CURVES))
