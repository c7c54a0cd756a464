from pathlib import Path

import numpy as np
import pytest

from modelrepo.metadata import InputSpec, Preprocessing
from modelrepo.reader import read_version
from modelrepo.repository import ModelRepository
from tests.support.bundles.third_party import Kind, classifier
from training.evaluation.onnx_inference import open_bundle, open_graph, open_scorer, to_probabilities

RULES = Preprocessing("rgb", "crop", "bilinear", "white", exif_orientation=True, ink=False, scale=1 / 255)
IMAGES = np.random.default_rng(1).integers(0, 256, (7, 16, 16, 3), np.uint8)


@pytest.mark.parametrize("batch", [1, 2, 4, 9])
def test_a_fixed_batch_axis_changes_no_result(batch: int) -> None:
    fixed = InputSpec("input.1", "float32", "NCHW", batch, 16, 16, 3)
    free = InputSpec("input.1", "float32", "NCHW", None, 16, 16, 3)

    found = open_scorer(classifier(Kind(batch=batch)).SerializeToString(), fixed, RULES)(IMAGES)

    expected = open_scorer(classifier().SerializeToString(), free, RULES)(IMAGES)
    assert found.shape == (7, 5)
    assert found == pytest.approx(expected, abs=1e-5)


def test_logits_become_probabilities_without_overflow() -> None:
    found = to_probabilities(np.array([[1000.0, 1000.0, 0.0]], np.float32), "logits")

    assert found.tolist() == [[0.5, 0.5, 0.0]]
    assert found.dtype == np.float32


def test_a_bundle_with_probabilities_gives_what_its_graph_gives(models: Path) -> None:
    bundle = read_version(ModelRepository(models), "colour", 1)
    images = IMAGES[:, :8, :8]

    assert np.array_equal(open_bundle(bundle)(images), open_graph(bundle.model)(images))
