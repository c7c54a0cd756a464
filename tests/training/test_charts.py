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


@pytest.mark.parametrize(("classes", "side"), [(10, 864), (20, 864), (100, 2400)])
def test_a_confusion_matrix_of_many_classes_has_room_for_their_names(classes: int, side: int) -> None:
    labels = tuple(f"class_{number}" for number in range(classes))
    split = Split(np.zeros((classes, 1, 1, 1), np.uint8), np.arange(classes))

    chart = draw_confusion("many", evaluate(np.eye(classes, dtype=np.float32), split, labels))

    assert Image.open(io.BytesIO(chart)).height == side
