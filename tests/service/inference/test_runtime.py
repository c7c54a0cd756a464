"""ONNX Runtime behind a function: one run or many, the scores are the same."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, OutputSpec
from service.inference.runtime import MAX_BATCH, Model, UnusableGraph, load_model
from tests.support.bundles.tiny import tiny_graph, tiny_metadata

SPEC = tiny_metadata("tiny").input
OUTPUT = tiny_metadata("tiny").output


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

    scores = model(batch)

    alone = np.concatenate([model(batch[n : n + 1]) for n in range(count)])
    assert scores.shape == (count, 3)
    assert scores == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize("count", [1, 3, 4, 6, 8])
def test_a_graph_of_a_fixed_batch_takes_any_number_of_images(tmp_path: Path, model: Model, count: int) -> None:
    file = tmp_path / "fixed.onnx"
    file.write_bytes(tiny_graph(batch=4))
    fixed = load_model(file, InputSpec(**{**vars(SPEC), "batch": 4}), OUTPUT, threads=1)

    scores = fixed(pixels(count))

    assert scores == pytest.approx(model(pixels(count)), abs=1e-6)


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
