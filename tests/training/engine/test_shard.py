from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from training.engine.distributed.shard import Shard
from training.engine.input_pipeline import training_batches
from training.recipes import Augmentation
from training.run import Run


def test_the_whole_of_a_batch_is_taken_in_its_order() -> None:
    places, weights = Shard().take(tf.constant(5))

    assert places.numpy().tolist() == [0, 1, 2, 3, 4]
    assert weights.numpy().tolist() == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9])
@pytest.mark.parametrize("processes", [2, 3])
def test_every_image_is_taken_once(count: int, processes: int) -> None:
    taken = [Shard(index, processes).take(tf.constant(count)) for index in range(processes)]

    places = np.concatenate([places[weights > 0] for places, weights in taken])
    assert sorted(places) == list(range(count))


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9])
def test_the_mean_over_equal_parts_is_the_mean_over_the_batch(count: int) -> None:
    values = np.random.default_rng(1).random(count, np.float32)

    parts = [Shard(index, 3).take(tf.constant(count)) for index in range(3)]

    assert len({len(places) for places, _ in parts}) == 1
    means = [np.mean(values[places] * weights) for places, weights in parts]
    assert np.mean(means) == pytest.approx(values.mean(), rel=1e-6)


def test_devices_of_a_process_get_parts_of_the_same_size() -> None:
    places, _ = Shard(devices=4).take(tf.constant(9))

    assert len(places) == 12


def test_the_shares_of_a_stream_are_its_images_changed_alike(run: Run) -> None:
    recipe = replace(run.recipe, batch_size=11, augmentation=Augmentation(shift=2, rotate=10, cutout=8))

    whole = list(training_batches(run.dataset.train, recipe))
    first, second = (list(training_batches(run.dataset.train, recipe, shard=Shard(index, 2))) for index in range(2))

    assert len(first) == len(second) == len(whole)
    for (images, _), (even, _, _), (odd, _, weights) in zip(whole, first, second, strict=True):
        # Sines of fewer angles at a time are rounded otherwise.
        assert np.allclose(images[0::2], even, atol=1e-4)
        assert np.allclose(images[1::2], odd[weights > 0], atol=1e-4)
