import io

import numpy as np
from PIL import Image

from training.charts import draw_confusion, draw_grid, draw_history
from training.datasets import Dataset
from training.evaluation import evaluate


def test_every_chart_is_a_picture_of_a_readable_size(dataset: Dataset) -> None:
    evaluation = evaluate(np.full((40, 10), 0.1, np.float32), dataset.test, dataset.spec.labels)
    curves = {name: [0.3, 0.2] for name in ("loss", "val_loss", "accuracy", "val_accuracy")}

    charts = [draw_history("digits", curves), draw_confusion("digits", evaluation), draw_grid(dataset)]

    for chart in charts:
        picture = Image.open(io.BytesIO(chart))
        assert picture.format == "PNG"
        assert min(picture.size) > 400
