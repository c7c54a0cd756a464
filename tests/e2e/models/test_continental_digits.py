"""The served model of digits knows the 1 and the 7 of people who do not write as MNIST's writers did."""

from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from modelrepo.reader import read_bundle
from preprocessing.pipeline import prepare
from tests.support.images.continental import draw_barred_seven, draw_flagged_one
from tests.support.processes.service import ROOT

DRAWN = 200
RIGHT = 0.95


@pytest.mark.parametrize(
    ("draw", "label"),
    [
        pytest.param(draw_flagged_one, 1, id="ones with a flag"),
        pytest.param(draw_barred_seven, 7, id="sevens with a bar"),
    ],
)
def test_digits_of_other_schools_are_read(draw: Callable[[np.random.Generator], Image.Image], label: int) -> None:
    versions = sorted((ROOT / "models" / "mnist").iterdir(), key=lambda folder: int(folder.name))
    bundle = read_bundle(versions[-1])
    metadata, rng = bundle.metadata, np.random.default_rng(20)
    pages = [draw(rng) for _ in range(DRAWN)]
    pixels = np.stack([prepare(page, metadata.input, metadata.preprocessing).pixels for page in pages])

    session = onnxruntime.InferenceSession(str(versions[-1] / "model.onnx"))
    probabilities = session.run([metadata.output.name], {metadata.input.name: pixels})[0]

    assert (probabilities.argmax(axis=1) == label).mean() >= RIGHT
