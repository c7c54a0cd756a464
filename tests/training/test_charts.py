import io

import numpy as np
import pytest
from PIL import Image

from training.charts import draw_confusion, draw_grid, draw_history
from training.datasets import Dataset, Split
from training.evaluation import evaluate


def test_every_chart_is_a_picture_of_a_readable_size(dataset: Dataset) -> None:
    evaluation = evaluate(np.full((40, 10), 0.1, np.float32), dataset.test, dataset.spec.labels)
    curves = {name: [0.3, 0.2] for name in ("loss", "val_loss", "accuracy", "val_accuracy")}

    charts = [draw_history("digits", curves), draw_confusion("digits", evaluation), draw_grid(dataset)]

    for chart in charts:
        picture = Image.open(io.BytesIO(chart))
        assert picture.format == "PNG"
        assert min(picture.size) > 400


def test_charts_need_no_validation_and_take_any_number_and_kind_of_labels(split_of_many: Split) -> None:
    labels = tuple(f"$class_{number}^" for number in range(40))
    few = evaluate(np.eye(40, dtype=np.float32), split_of_many, labels)

    charts = [draw_history("single", {"loss": [0.3], "accuracy": [0.2]}), draw_confusion("many", few)]

    assert all(Image.open(io.BytesIO(chart)).format == "PNG" for chart in charts)


@pytest.fixture
def split_of_many() -> Split:
    return Split(np.zeros((40, 2, 2, 1), np.uint8), np.arange(40))
