"""Streams from image files; what all streams have in common is in test_feeding."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.images.folders import draw_folder
from training.data.image_folder import Folder, read_folder
from training.data.lazy_images import LazyImages
from training.data.specs import DatasetSpec
from training.data.splits import Split
from training.engine.input_pipeline import inference_batches, naming_unreadable_files, training_batches
from training.errors import InvalidData
from training.recipes import RECIPES, Recipe


def test_a_stream_from_files_is_that_from_memory(split: Split, recipe: Recipe) -> None:
    held = Split(split.images[:], split.labels)

    streams = [list(training_batches(each, recipe).as_numpy_iterator()) for each in (split, held)]

    assert len(streams[0]) == 4
    for (images, labels), (held_images, held_labels) in zip(*streams, strict=True):
        assert np.array_equal(images, held_images)
        assert np.array_equal(labels, held_labels)


def test_a_file_that_is_gone_in_the_middle_is_named(split: Split) -> None:
    assert isinstance(split.images, LazyImages)
    Path(split.images.paths[5]).unlink()

    with pytest.raises(InvalidData, match=r"\.jpg was readable before the training"), naming_unreadable_files():
        list(inference_batches(split.images))


@pytest.fixture
def split(tmp_path: Path) -> Split:
    root = draw_folder(tmp_path / "pictures", {"a": 10, "b": 5})
    return read_folder(
        Folder(root, DatasetSpec("", (8, 8, 3), ()), RECIPES["folder"].preprocessing, hold=0)
    ).dataset.train


@pytest.fixture
def recipe() -> Recipe:
    recipe = RECIPES["folder"]
    return replace(recipe, dataset=replace(recipe.dataset, class_names=("a", "b")), batch_size=8, epochs=2)
