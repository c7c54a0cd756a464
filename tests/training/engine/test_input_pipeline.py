"""Streams of training images: complete, shuffled anew in every epoch, and the same from any epoch on."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from training.data.splits import OUTLIER, Dataset, Split
from training.engine.input_pipeline import evaluation_batches, inference_batches, steps_per_epoch, training_batches
from training.recipes import RECIPES, Augmentation, Recipe


@pytest.fixture
def recipe() -> Recipe:
    return replace(RECIPES["mnist"], epochs=3, augmentation=Augmentation(shift=2, rotate=10))


@pytest.fixture
def plain(recipe: Recipe) -> Recipe:
    return replace(recipe, augmentation=Augmentation())


def test_an_epoch_has_every_image_once_with_its_label(dataset: Dataset, plain: Recipe) -> None:
    steps = steps_per_epoch(dataset.train, plain)
    images, labels = join(training_batches(dataset.train, plain).take(steps))

    order = np.lexsort(images.reshape(len(images), -1).T)
    expected = np.lexsort(dataset.train.images[:].reshape(len(images), -1).T)
    assert np.array_equal(np.rint(images[order] * 255), dataset.train.images[expected])
    assert np.array_equal(labels[order].argmax(axis=1), dataset.train.labels[expected])


def test_every_epoch_has_another_order(dataset: Dataset, plain: Recipe) -> None:
    epochs = np.split(join(training_batches(dataset.train, plain))[1].argmax(axis=1), plain.epochs)

    assert not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[1], epochs[2])


def test_from_a_later_epoch_on_a_feed_is_the_end_of_the_whole_one(dataset: Dataset, recipe: Recipe) -> None:
    whole, rest = (
        join(training_batches(dataset.train, recipe))[0],
        join(training_batches(dataset.train, recipe, start=1))[0],
    )

    assert np.array_equal(whole[len(dataset.train) :], rest)


def test_another_seed_gives_another_feed(dataset: Dataset, recipe: Recipe) -> None:
    first, other = (join(training_batches(dataset.train, replace(recipe, seed=seed)))[0] for seed in (1, 2))

    assert not np.array_equal(first, other)


def test_the_label_of_an_outlier_is_the_same_for_all_classes(dataset: Dataset, plain: Recipe) -> None:
    outliers = Split(dataset.train.images, np.full(len(dataset.train), OUTLIER))

    labels = join(training_batches(outliers, plain).take(1))[1]

    assert labels == pytest.approx(np.full((plain.batch_size, 10), 0.1))


def test_images_are_shown_in_their_order_and_undistorted(dataset: Dataset, recipe: Recipe) -> None:
    images, labels = join(evaluation_batches(dataset.test, recipe))

    assert np.array_equal(images, dataset.test.images[:].astype(np.float32) / np.float32(255))
    assert np.array_equal(labels.argmax(axis=1), dataset.test.labels)


def test_raw_images_become_what_a_network_takes() -> None:
    images = np.arange(300 * 4, dtype=np.uint8).reshape(300, 2, 2, 1)

    assert np.array_equal(np.concatenate(list(inference_batches(images))), images.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize(("images", "steps"), [(32, 1), (33, 2), (64, 2)])
def test_the_last_batch_may_be_smaller(images: int, steps: int, recipe: Recipe) -> None:
    split = Split(np.zeros((images, 28, 28, 1), np.uint8), np.zeros(images, np.int64))

    assert steps_per_epoch(split, recipe) == steps


def join(stream: Any) -> tuple[Any, Any]:
    images, labels = zip(*stream, strict=True)
    return np.concatenate(images), np.concatenate(labels)
