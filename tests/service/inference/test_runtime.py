"""ONNX Runtime behind a function: one run or many, the scores are the same."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, OutputSpec
from service.inference.runtime import MAX_BATCH, Model, UnusableGraph, load_model
from tests.support.bundles.tiny import OUTLIERS, tiny_graph, tiny_metadata

SPEC = tiny_metadata("tiny").input
OUTPUT = tiny_metadata("tiny").output
SCORED = dataclasses.replace(OUTPUT, outlier_output=OUTLIERS, outlier_above=1.0)


def pixels(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, 8, 8, 1), np.uint8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "model.onnx"
    file.write_bytes(tiny_graph())
    return file


@pytest.fixture
def model(path: Path) -> Model:
    return load_model(path, SPEC, OUTPUT, threads=1)


@pytest.mark.parametrize("count", [1, MAX_BATCH, MAX_BATCH + 1, 3 * MAX_BATCH + 5])
def test_a_large_batch_gives_what_its_images_give_alone(model: Model, count: int) -> None:
    batch = pixels(count)

    scores = model(batch).scores

    alone = np.concatenate([model(batch[n : n + 1]).scores for n in range(count)])
    assert scores.shape == (count, 3)
    assert scores == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize("count", [1, 3, 4, 6, 8])
def test_a_graph_of_a_fixed_batch_takes_any_number_of_images(tmp_path: Path, model: Model, count: int) -> None:
    file = tmp_path / "fixed.onnx"
    file.write_bytes(tiny_graph(batch=4))
    fixed = load_model(file, InputSpec(**{**vars(SPEC), "batch": 4}), OUTPUT, threads=1)

    scores = fixed(pixels(count)).scores

    assert scores == pytest.approx(model(pixels(count)).scores, abs=1e-6)


@pytest.mark.parametrize("batch", [None, 4], ids=["free batch", "batch of 4"])
@pytest.mark.parametrize("count", [1, 4, 2 * MAX_BATCH + 5])
def test_outlier_scores_come_with_the_scores_of_the_same_run(tmp_path: Path, batch: int | None, count: int) -> None:
    file = tmp_path / "scored.onnx"
    file.write_bytes(tiny_graph(batch=batch, outliers=True))
    model = load_model(file, dataclasses.replace(SPEC, batch=batch), SCORED, threads=1)

    scores, outlier_scores = model(pixels(count))

    assert scores.shape == (count, 3)
    assert outlier_scores == pytest.approx(pixels(count).mean(axis=(1, 2, 3)), rel=1e-5)


def test_a_graph_has_no_outlier_scores_where_the_metadata_names_none(tmp_path: Path) -> None:
    file = tmp_path / "scored.onnx"
    file.write_bytes(tiny_graph(outliers=True))

    assert load_model(file, SPEC, OUTPUT, threads=1)(pixels(2)).outlier_scores is None


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("distance", "the graph has no output 'distance'"),
        ("probabilities", "the graph gives as probabilities any × 3, the metadata says any"),
    ],
    ids=["missing", "a matrix"],
)
def test_an_outlier_output_that_is_none_is_unusable(path: Path, output: str, message: str) -> None:
    with pytest.raises(UnusableGraph, match=message):
        load_model(path, SPEC, dataclasses.replace(SCORED, outlier_output=output), threads=1)


def test_a_missing_input_is_named(path: Path) -> None:
    with pytest.raises(UnusableGraph, match="the graph has no input 'picture'"):
        load_model(path, InputSpec(**{**vars(SPEC), "name": "picture"}), OUTPUT, threads=1)


def test_a_missing_output_is_named(path: Path) -> None:
    with pytest.raises(UnusableGraph, match="the graph has no output 'scores'"):
        load_model(path, SPEC, OutputSpec(**{**vars(OUTPUT), "name": "scores"}), threads=1)


@pytest.mark.parametrize("content", [b"", b"no model", tiny_graph()[:200]], ids=["empty", "nonsense", "half"])
def test_a_file_that_is_no_model_is_unusable(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(UnusableGraph):
        load_model(path, SPEC, OUTPUT, threads=1)
